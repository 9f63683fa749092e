/**
 * `node test/packaging/run.ts [GROUP…]`: builds the packages and holds them against what is promised of them. Prints a
 * line for each check; exit status 1 when one failed. Nothing is installed on this machine.
 *
 * Groups: files, lint, bill, pages, shells, scriptlets, install, disk, debian, emulated; all by default. Needs root, for
 * dnf's own roots.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TARGETS } from "../../packaging/project.ts";
import { requireTools, stagingTools } from "../../packaging/tools.ts";
import { Tally } from "../readers/tally.ts";
import { type Check, checksInto, Interrupted } from "../systemd/checks.ts";
import { checkBill } from "./bill.ts";
import { checkDebian } from "./debian.ts";
import { checkEmulated } from "./emulated.ts";
import { checkFiles } from "./files.ts";
import { checkFullDisk } from "./full-disk.ts";
import { checkInstall } from "./install.ts";
import { checkLint } from "./lint.ts";
import { checkPages } from "./pages.ts";
import { checkScriptlets } from "./scriptlets.ts";
import { checkShells } from "./shells.ts";
import { openWorkshop, type Workshop } from "./workshop.ts";

const GROUPS: Readonly<Record<string, (workshop: Workshop, check: Check) => Promise<void>>> = {
  files: checkFiles,
  lint: checkLint,
  bill: checkBill,
  pages: checkPages,
  shells: checkShells,
  scriptlets: checkScriptlets,
  install: checkInstall,
  disk: checkFullDisk,
  debian: checkDebian,
  emulated: checkEmulated,
};

const PROGRAMS = [
  "rpmbuild",
  "rpmsign",
  "rpm",
  "rpmlint",
  "createrepo_c",
  "dnf",
  "dpkg-deb",
  "gpg",
  "readelf",
].concat([
  "mandoc",
  "groff",
  "man",
  "bash",
  "zsh",
  "dash",
  "script",
  "busybox",
  "gcc",
  "qemu-aarch64",
  "unshare",
]);

/** @returns the exit status */
async function main(interrupted: AbortSignal): Promise<number> {
  requireTools("This test", [...PROGRAMS, ...stagingTools(TARGETS)]);
  if (process.geteuid?.() !== 0)
    throw new Error("This test needs to be run as root: dnf fills roots of its own");
  process.umask(0o022);
  const tally = new Tally();
  const directory = mkdtempSync(join(tmpdir(), "idc-packaging-"));
  try {
    const workshop = await openWorkshop(directory);
    const check = checksInto(tally, interrupted);
    const chosen = process.argv.slice(2);
    for (const [name, group] of Object.entries(GROUPS)) {
      if (chosen.length === 0 || chosen.includes(name)) await group(workshop, check);
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    console.log("interrupted");
    return 130;
  } finally {
    if (process.env.IDC_TEST_KEEP === undefined) rmSync(directory, { recursive: true, force: true });
    else console.log(`kept: ${directory}`);
  }
  console.log(tally.summary());
  return tally.exitCode;
}

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interruption.abort());
const exitCode = await main(interruption.signal).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return 1;
});
process.exit(exitCode);
