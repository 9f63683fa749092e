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
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentOnHost } from "./agent-service.ts";
import { type BootedRun as Run, runOnBooted } from "./booted-run.ts";
import type { Check } from "./checks.ts";
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

await runOnBooted("systemd", checkAll);
