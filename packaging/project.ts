/** What every part of the build knows of the project: where it lies, its version, its moment in time, its targets. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../package.json" with { type: "json" };
import { changes } from "./changelog.ts";

export const ROOT = join(import.meta.dirname, "..");
export const NAME: string = manifest.name;
export const VERSION: string = manifest.version;
export const SUMMARY: string = manifest.description;
export const LICENCE: string = manifest.license;
/** Where the runtime lies on a host: `bin_t` under SELinux, so that the service runs unconfined (FACTS). */
export const LIBEXEC = `usr/libexec/${NAME}`;
/** Where packages and what they are made from are laid down; nothing of it is committed. */
export const BUILD = join(ROOT, "build");
export const PACKAGES = join(BUILD, "packages");
/** Who answers for the packages; whoever builds them for others names himself. */
export const MAINTAINER = process.env.IDC_PACKAGER ?? `${NAME} maintainers <root@localhost>`;

/** The architectures, by Node's names. */
export interface Target {
  node: "x64" | "arm64";
  rpm: "x86_64" | "aarch64";
  deb: "amd64" | "arm64";
  /** GNU binutils and gcc prefix of a cross build; on a machine of this kind the plain names do. */
  gnu: string;
  /** As `readelf -h` says it. */
  elfMachine: string;
}

export const TARGETS: readonly Target[] = [
  {
    node: "x64",
    rpm: "x86_64",
    deb: "amd64",
    gnu: "x86_64-linux-gnu",
    elfMachine: "Advanced Micro Devices X86-64",
  },
  { node: "arm64", rpm: "aarch64", deb: "arm64", gnu: "aarch64-linux-gnu", elfMachine: "AArch64" },
];

/** @param name as Node, rpm or Debian calls it */
export function targetOf(name: string): Target {
  const found = TARGETS.find(({ node, rpm, deb }) => ([node, rpm, deb] as string[]).includes(name));
  if (found === undefined) throw new Error(`no package is built for ${name}: only for x86_64 and aarch64`);
  return found;
}

/** The targets that the caller asked for; all of them by default. */
export function targetsFrom(names: readonly string[]): readonly Target[] {
  return names.length === 0 ? TARGETS : names.map(targetOf);
}

/**
 * The moment that everything in a package is dated with, in seconds: of the commit, so that two builds of it are the
 * same; of the newest version in the changelog where there is no git (a source archive).
 */
export function sourceDateEpoch(): number {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined && /^\d+$/.test(given)) return Number(given);
  try {
    const text = execFileSync("git", ["log", "-1", "--format=%ct"], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return Number(text.trim());
  } catch {
    const [newest] = changes(readFileSync(join(ROOT, "CHANGELOG.md"), "utf8"));
    return newest === undefined ? 0 : newest.date.getTime() / 1_000;
  }
}
