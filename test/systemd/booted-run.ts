/** A run of checks on booted machines: one at a time on this machine, and nothing of it is left, however it ends. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acquireLock } from "../../src/host/lock.ts";
import { Tally } from "../readers/tally.ts";
import { baseRoot, cacheDirectory } from "./base-root.ts";
import { type Check, checksInto, Interrupted } from "./checks.ts";
import { checkRequirements } from "./requirements.ts";

export interface BootedRun {
  baseRoot: string;
  /** A scratch directory. */
  directory: string;
  check: Check;
  interrupted: AbortSignal;
  /** Is given each part as soon as it must be ended, whatever happens next. */
  started(end: () => Promise<void>): void;
}

/** Does the work, prints how many checks passed and failed, and ends the process. */
export async function runOnBooted(name: string, work: (run: BootedRun) => Promise<void>): Promise<never> {
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interruption.abort());
  // Whoever read our lines has gone (`| head`): what was started is ended all the same.
  process.stdout.on("error", () => interruption.abort());
  const exitCode = await lockedRun(name, work, interruption.signal).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    return 1;
  });
  // The check that was in hand at an interruption may still wait for something.
  process.exit(exitCode);
}

/** @returns the exit status */
async function lockedRun(
  name: string,
  work: (run: BootedRun) => Promise<void>,
  interrupted: AbortSignal,
): Promise<number> {
  checkRequirements();
  process.umask(0o022);
  mkdirSync(cacheDirectory(), { recursive: true });
  // Two containers below one control group would take each other's for their own.
  const lock = acquireLock(join(cacheDirectory(), "lock"));
  if (lock === null) throw new Error(`another run of these tests uses ${cacheDirectory()}: one at a time`);
  const tally = new Tally();
  const directory = mkdtempSync(join(tmpdir(), `idc-${name}-`));
  const ends: (() => Promise<void>)[] = [async () => rmSync(directory, { recursive: true, force: true })];
  try {
    const run: BootedRun = {
      baseRoot: await baseRoot(interrupted),
      directory,
      check: checksInto(tally, interrupted),
      interrupted,
      started: (end) => ends.push(end),
    };
    // An interruption does not wait for the check in hand: its machine is taken away below.
    await Promise.race([work(run), aborted(interrupted)]);
  } catch (error) {
    if (!interrupted.aborted) throw error;
    console.log("interrupted");
    return 130;
  } finally {
    for (const end of ends.reverse()) await end();
    lock.release();
  }
  console.log(tally.summary());
  return tally.exitCode;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(new Interrupted());
    signal.addEventListener("abort", () => reject(new Interrupted()));
  });
}
