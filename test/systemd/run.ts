/**
 * `node test/systemd/run.ts [GROUP…]`: our units, our drop-in and our commands on a really booted systemd 252, with a
 * stand-in agent as a service. Prints a line for each check; exit status 1 when one failed.
 *
 * Groups: daemon, journal, requests, states, reload, odd, life; all by default. Needs root; the base system it boots is kept in $IDC_TEST_CACHE (/var/cache/idc-helper-test).
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acquireLock } from "../../src/host/lock.ts";
import { Tally } from "../readers/tally.ts";
import { AgentOnHost } from "./agent-service.ts";
import { baseRoot, cacheDirectory } from "./base-root.ts";
import { type Check, checksInto, Interrupted } from "./checks.ts";
import { checkDaemon } from "./daemon.ts";
import { checkGracefulReload } from "./graceful-reload.ts";
import { Host } from "./host.ts";
import { checkHostLife } from "./host-life.ts";
import { checkJournal } from "./journal.ts";
import { checkOddReloads } from "./odd-reloads.ts";
import { checkRequests } from "./requests.ts";
import { checkRequirements } from "./requirements.ts";
import { checkServiceStates } from "./service-states.ts";

const GROUPS: Readonly<Record<string, (host: Host, agent: AgentOnHost, check: Check) => Promise<void>>> = {
  daemon: (host, _agent, check) => checkDaemon(host, check),
  journal: (host, _agent, check) => checkJournal(host, check),
  requests: (host, _agent, check) => checkRequests(host, check),
  states: checkServiceStates,
  reload: checkGracefulReload,
  odd: checkOddReloads,
  life: checkHostLife,
};

async function checkAll(host: Host, check: Check): Promise<void> {
  const agent = new AgentOnHost(host);
  const chosen = process.argv.slice(2);
  for (const [name, group] of Object.entries(GROUPS)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    // The daemon brings its path unit with it, which is one of the checks; other groups decide themselves when a
    // drift is mended.
    if (name !== "daemon") await host.watchRequestsOnly();
    await group(host, agent, check);
  }
}

/** @returns the exit status */
async function main(interrupted: AbortSignal): Promise<number> {
  checkRequirements();
  process.umask(0o022);
  mkdirSync(cacheDirectory(), { recursive: true });
  // Two containers below one control group would take each other's for their own.
  const lock = acquireLock(join(cacheDirectory(), "lock"));
  if (lock === null) throw new Error(`another run of these tests uses ${cacheDirectory()}: one at a time`);
  const tally = new Tally();
  const directory = mkdtempSync(join(tmpdir(), "idc-systemd-"));
  const ends: (() => Promise<void>)[] = [() => removeDirectory(directory)];
  try {
    const root = await baseRoot(interrupted);
    const host = await Host.start(root, directory, (end) => ends.push(end));
    // An interruption does not wait for the check in hand: its machine is taken away below.
    await Promise.race([checkAll(host, checksInto(tally, interrupted)), aborted(interrupted)]);
    if (tally.exitCode !== 0) console.log(await lastWords(host));
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

async function removeDirectory(directory: string): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
}

async function lastWords(host: Host): Promise<string> {
  return (await host.machine.exec("journalctl", "--no-pager", "--boot", "--lines=150")).stdout;
}

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interruption.abort());
// Whoever read our lines has gone (`| head`): what was started is ended all the same.
process.stdout.on("error", () => interruption.abort());
const exitCode = await main(interruption.signal).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return 1;
});
// The check that was in hand at an interruption may still wait for something.
process.exit(exitCode);
