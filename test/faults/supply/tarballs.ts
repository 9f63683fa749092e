/**
 * The installed files against the checksums in the lock file: a checksum is a tarball's, and npm keeps those it fetched
 * (cacache: content by its hash). Where the tarball is still there, every file of the package is compared with it.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../packaging/project.ts";
import { filesBelow } from "../../../packaging/staging.ts";
import type { Locked } from "./lock-file.ts";

export interface Comparison {
  packages: number;
  files: number;
  /** Packages whose tarball npm has not kept. */
  unverifiable: string[];
  faults: string[];
}

export function npmCache(): string {
  return execFileSync("npm", ["config", "get", "cache", "--loglevel=silent"], {
    cwd: ROOT,
    encoding: "utf8",
  }).trim();
}

export function compareWithTarballs(
  lock: Map<string, Locked>,
  places: readonly string[],
  scratch: string,
): Comparison {
  const cache = npmCache();
  const found: Comparison = { packages: 0, files: 0, unverifiable: [], faults: [] };
  for (const place of places) {
    const integrity = lock.get(place)?.integrity;
    const tarball = integrity === undefined ? null : contentOf(cache, integrity);
    if (integrity === undefined || tarball === null || !existsSync(tarball)) {
      found.unverifiable.push(place);
      continue;
    }
    const bytes = readFileSync(tarball);
    if (`sha512-${createHash("sha512").update(bytes).digest("base64")}` !== integrity) {
      found.faults.push(`${place}: npm's copy of its tarball has another checksum`);
      continue;
    }
    found.packages += 1;
    const unpacked = join(scratch, "unpacked");
    rmSync(unpacked, { recursive: true, force: true });
    mkdirSync(unpacked, { recursive: true });
    execFileSync("tar", ["-xz", "--strip-components=1", "--no-same-owner", "-C", unpacked], { input: bytes });
    const { files, faults } = compareFiles(unpacked, place);
    found.files += files;
    found.faults.push(...faults);
  }
  return found;
}

function contentOf(cache: string, integrity: string): string {
  const hex = Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
  return join(cache, "_cacache/content-v2/sha512", hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
}

function compareFiles(unpacked: string, place: string): { files: number; faults: string[] } {
  const wanted = filesBelow(unpacked);
  const installed = join(ROOT, place);
  const own = filesBelow(installed).filter((path) => !path.startsWith("node_modules/"));
  const faults = wanted.flatMap((path) => {
    const there = join(installed, path);
    if (lstatSync(there, { throwIfNoEntry: false })?.isFile() !== true)
      return [`${place}/${path} is missing`];
    const found = readFileSync(there);
    const isSame = found.equals(readFileSync(join(unpacked, path))) || isPlatformsOwn(found, place, path);
    return isSame ? [] : [`${place}/${path} is not as it was published`];
  });
  const known = new Set(wanted);
  const added = own.filter((path) => !known.has(path)).map((path) => `${place}/${path} was added`);
  return { files: wanted.length, faults: [...faults, ...added] };
}

/**
 * esbuild's install script, which `make` does not run, puts its platform package's program in the place of the one in
 * JavaScript. That package is compared with its own tarball.
 */
function isPlatformsOwn(found: Buffer, place: string, path: string): boolean {
  const own = join(ROOT, place.replace(/node_modules\/esbuild$/, "node_modules/@esbuild/linux-x64"), path);
  return place.endsWith("node_modules/esbuild") && existsSync(own) && found.equals(readFileSync(own));
}
