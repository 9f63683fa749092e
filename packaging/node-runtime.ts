/**
 * The official Node of a target, from npm's `node-linux-*` packages in the version that the lock file names: the one
 * that npm installed here, or, for another architecture, fetched once and held against the lock file's checksum.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { BUILD, ROOT, type Target } from "./project.ts";

const run = promisify(execFile);

export interface LockedPackage {
  version: string;
  integrity?: string;
  license?: string;
}

/** Node is built with its headers, licence and `bin/node`. @returns the package's directory */
export async function nodeRuntime({ node }: Target): Promise<string> {
  const name = `node-linux-${node}`;
  const installed = join(ROOT, "node_modules", name);
  if (existsSync(join(installed, "bin/node"))) return installed;
  const { version, integrity } = lockedPackage(`node_modules/${name}`);
  const directory = join(BUILD, "cache", `${name}-${version}`);
  if (existsSync(directory)) return directory;
  const partial = `${directory}.${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await run("npm", ["pack", `${name}@${version}`, "--loglevel=error", "--pack-destination", partial], {
    cwd: ROOT,
  });
  const archive = join(partial, `${name}-${version}.tgz`);
  const found = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (integrity === undefined || found !== integrity) {
    rmSync(partial, { recursive: true });
    throw new Error(
      `${name}@${version} has the checksum ${found}, not ${integrity} as package-lock.json says`,
    );
  }
  await run("tar", ["-xzf", archive, "-C", partial, "--no-same-owner"]);
  renameSync(join(partial, "package"), directory);
  rmSync(partial, { recursive: true });
  return directory;
}

/** @param place such as `node_modules/zod` */
export function lockedPackage(place: string): LockedPackage {
  const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
    readFileSync(join(ROOT, "package-lock.json"), "utf8"),
  );
  const found = lock.packages[place];
  if (found === undefined) throw new Error(`package-lock.json has no ${place}`);
  return found;
}
