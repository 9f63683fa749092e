/**
 * `node test/systemd/run.ts [GROUP…]`: our units, our drop-in, our commands and our packages on a really booted systemd
 * 252, with a stand-in agent as a service. Prints a line for each check; exit status 1 when one failed, and then the
 * journal of the machine on which it did.
 *
 * Groups on one machine with the product laid out from dist/: daemon, journal, requests, states, reload, odd, life,
 * recipes.
 * Groups with a machine each, and the packages: package, others, adopt, debian. All by default. Needs root; the base
 * system it boots is kept in $IDC_TEST_CACHE (/var/cache/idc-helper-test).
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
import { checkAdoption } from "./package/adoption.ts";
import { checkDebian } from "./package/debian.ts";
import { checkLife } from "./package/life.ts";
import { checkOtherHosts } from "./package/other-hosts.ts";
import { makePackages } from "./package/repository.ts";
import { checkRecipes } from "./recipes.ts";
import { checkRequests } from "./requests.ts";
import { checkRequirements } from "./requirements.ts";
import { checkServiceStates } from "./service-states.ts";

type Group = (host: Host, agent: AgentOnHost, check: Check) => Promise<void>;

const ON_LAID_OUT: Readonly<Record<string, Group>> = {
  daemon: (host, _agent, check) => checkDaemon(host, check),
  journal: (host, _agent, check) => checkJournal(host, check),
  requests: (host, _agent, check) => checkRequests(host, check),
  states: checkServiceStates,
  reload: checkGracefulReload,
  odd: checkOddReloads,
  life: checkHostLife,
  recipes: checkRecipes,
};
type PackageGroup = (host: Host, check: Check, packages: string) => Promise<void>;

const WITH_PACKAGES: Readonly<Record<string, PackageGroup>> = {
  package: checkLife,
  others: checkOtherHosts,
  adopt: checkAdoption,
  debian: checkDebian,
};

interface Run {
  baseRoot: string;
  directory: string;
  tally: Tally;
  check: Check;
  started(end: () => Promise<void>): void;
}

async function checkAll(run: Run): Promise<void> {
  const chosen = process.argv.slice(2);
  const unknown = chosen.filter((name) => !(name in ON_LAID_OUT) && !(name in WITH_PACKAGES));
  if (unknown.length > 0) throw new Error(`there is no group ${unknown.join(", ")}`);
  const isChosen = ([name]: [string, unknown]) => chosen.length === 0 || chosen.includes(name);
  const laidOut = Object.entries(ON_LAID_OUT).filter(isChosen);
  const withPackages = Object.entries(WITH_PACKAGES).filter(isChosen);
  // Side by side: they mostly wait. The package's own life is the longest of them.
  const [first = [], ...others] = [withPackages.slice(0, 1), withPackages.slice(1)];
  await Promise.all([
    laidOut.length > 0 ? checkLaidOut(run, laidOut) : null,
    withPackages.length > 0
      ? makePackages(run.directory).then((packages) =>
          Promise.all([first, ...others].map((groups) => checkPackages(run, packages, groups))),
        )
      : null,
  ]);
}

async function checkPackages(run: Run, packages: string, groups: [string, PackageGroup][]): Promise<void> {
  for (const [, group] of groups) {
    const host = await Host.startBare(run.baseRoot, run.directory, run.started, packages);
    await withLastWords(run, host, (check) => group(host, check, packages));
    await host.stop();
  }
}

async function checkLaidOut(run: Run, groups: [string, Group][]): Promise<void> {
  const host = await Host.start(run.baseRoot, run.directory, run.started);
  const agent = new AgentOnHost(host);
  await withLastWords(run, host, async (check) => {
    for (const [name, group] of groups) {
      // The daemon brings its path unit with it, which is one of the checks; other groups decide themselves when a
      // drift is mended.
      if (name !== "daemon") await host.watchRequestsOnly();
      await group(host, agent, check);
    }
  });
  await host.stop();
}

/** After failures, the machine's journal: printed, and kept where $IDC_TEST_JOURNAL says. */
async function withLastWords(
  { check }: Run,
  { machine }: Host,
  work: (check: Check) => Promise<void>,
): Promise<void> {
  let isSound = true;
  const counting: Check = async (name, body) => {
    await check(name, () =>
      body().catch((error: unknown) => {
        isSound = false;
        throw error;
      }),
    );
  };
  try {
    await work(counting);
  } finally {
    if (!isSound) {
      const journal = await machine.exec("journalctl", "--no-pager", "--output=short-precise");
      const file = join(process.env.IDC_TEST_JOURNAL ?? tmpdir(), `idc-e2e-${machine.name}.journal`);
      writeFileSync(file, journal.stdout);
      console.log(`${journal.stdout.split("\n").slice(-300).join("\n")}\n(the whole journal: ${file})`);
    }
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
    const run: Run = {
      baseRoot: await baseRoot(interrupted),
      directory,
      tally,
      check: checksInto(tally, interrupted),
      started: (end) => ends.push(end),
    };
    // An interruption does not wait for the check in hand: its machine is taken away below.
    await Promise.race([checkAll(run), aborted(interrupted)]);
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
