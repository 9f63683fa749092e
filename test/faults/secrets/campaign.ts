/**
 * Secrets: every secret of the tests carries a mark, and a mark that is found where no secret may be is a leak. Hosts'
 * whole lives in real processes, their outputs, disks, memory and core files; in the full run also the whole test suite,
 * the tests on a booted machine, and the packages.
 */
import type { Campaign, CampaignOptions, CampaignOutcome, Finding } from "../campaign.ts";
import { liveAdoptedFromCron, liveAdoptedFromUser } from "./adopted-lives.ts";
import { examineBooted } from "./booted.ts";
import type { DiskFindings } from "./disk.ts";
import { Evidence, toldLeak } from "./evidence.ts";
import { none } from "./findings.ts";
import { described } from "./forms.ts";
import { searchShipped } from "./packages.ts";
import { permissionTable } from "./permission-table.ts";
import { isOnPurpose, ProcessWatch, toldExposure } from "./process-watch.ts";
import { liveBehindProxy } from "./proxied-life.ts";
import { liveRegistered, type RegisteredLife } from "./registered-life.ts";
import { toldWatch, type WatchedCommand, watchCommand } from "./watched-command.ts";

export const campaign: Campaign = { title: "Secrets", run };

/** Less than this and the lives were not lived. */
const LEAST_COMMANDS = 40;
/** Base credentials, credentials, and a kept copy of the agent's config, in each of its places. */
const LEAST_HOLDERS = 4;

async function run({ scale, directory, signal }: CampaignOptions): Promise<CampaignOutcome> {
  if (process.geteuid?.() !== 0)
    throw new Error("Secrets: owners are asserted, and memory is read: as root only");
  process.umask(0o022);
  const rows = permissionTable();
  const evidence = new Evidence();
  const watch = await ProcessWatch.start();
  const [registered, user, cron, booted] = await Promise.all([
    liveRegistered(evidence, rows, scale),
    liveAdoptedFromUser(evidence, rows),
    scale === "full" ? liveAdoptedFromCron(evidence, rows) : [],
    scale === "full" ? examineBooted(rows, directory, signal, evidence) : null,
    liveBehindProxy(evidence),
  ]);
  const { exposures, counts, isTold } = await watch.stop();
  const shown = exposures.filter((each) => !isOnPurpose(each)).map(toldExposure);
  const shipped = await searchShipped(directory, scale);
  const disks = [registered.disk, ...user, ...cron];
  const suites = scale === "full" ? await watchSuites() : [];
  const missed = isTold ? `${counts.missed} of them too short-lived to be looked at` : "found by looking";
  return {
    tried: [
      `${evidence.commands.length} commands of ours`,
      `${evidence.texts} streams, journals and logs`,
      `${counts.started} programs started (${missed})`,
      `${disks.length} looks at a host's disk`,
    ].join(", "),
    findings: [
      {
        what: "commands that were run for it",
        target: `at least ${LEAST_COMMANDS}`,
        found: String(evidence.commands.length),
        isMet: evidence.commands.length >= LEAST_COMMANDS,
      },
      none(
        "secrets in standard output, standard error, journal or logs, at level debug",
        evidence.leaks.map(toldLeak),
      ),
      none("secrets in the arguments of a process, or in an environment besides an operator's own", shown),
      ...onDisk(disks),
      ...inMemory(registered),
      ...inCores(registered),
      none(`secrets in ${shipped.files} files of what is shipped (${shipped.what})`, shipped.leaks),
      ...(booted ?? []),
      ...suites,
    ],
  };
}

function onDisk(disks: readonly DiskFindings[]): Finding[] {
  const written = disks.reduce((sum, disk) => sum + disk.written, 0);
  const all = <T>(of: (disk: DiskFindings) => T[]) => [...new Set(disks.flatMap(of))];
  const holders = all(({ holders }) => holders);
  return [
    none(
      `files and directories that are not as docs/permissions.md has them (${written} compared)`,
      all(({ disagreements }) => disagreements),
    ),
    none(
      "secrets in files that may not hold one: status, records, config, /run, /tmp",
      all(({ leaks }) => leaks),
    ),
    {
      what: "files found that may hold a secret, and do: the search finds what is there",
      target: `at least ${LEAST_HOLDERS}`,
      found: String(holders.length),
      isMet: holders.length >= LEAST_HOLDERS,
      detail: holders.join("\n  "),
    },
  ];
}

function inMemory({ memory, isOwnTextFound, childMemory, refreshes }: RegisteredLife): Finding[] {
  const megabytes = (memory.bytes / 1_048_576).toFixed(0);
  return [
    none(
      `secrets in the memory of \`run\` after ${refreshes} refreshes (${megabytes} MB in ${memory.mappings} mappings)`,
      memory.sightings.length === 0 ? [] : [described(memory.sightings)],
    ),
    {
      what: "the same search finds the words that `run` does hold",
      target: "yes",
      found: isOwnTextFound ? "yes" : "no",
      isMet: isOwnTextFound,
    },
    {
      what: "the same search finds the base credentials in a `refresh` that waits for STS",
      target: "yes",
      found: childMemory.sightings.some(({ kind }) => kind === "base") ? "yes" : "no",
      isMet: childMemory.sightings.some(({ kind }) => kind === "base"),
    },
  ];
}

function inCores({ cores }: RegisteredLife): Finding[] {
  const limit = { what: "core limit of a `refresh` typed in a shell that has none", target: "0 (soft)" };
  const findings: Finding[] = [
    none("units without LimitCORE=0", cores.unitsWithoutLimit),
    { ...limit, found: cores.typedLimit, isMet: cores.typedLimit.startsWith("0 ") },
  ];
  // A kernel that hands cores to a program writes none here, whoever crashes.
  if (!cores.areFiles) return findings;
  return [
    ...findings,
    none("core files of a `refresh` that is killed by SIGABRT while it waits for STS", cores.left),
    {
      what: "a program without that care leaves one, with the secret in it",
      target: "yes",
      found: cores.isControlFound ? "yes" : "no",
      isMet: cores.isControlFound,
    },
  ];
}

/** Everything else that the project has, watched from outside. */
async function watchSuites(): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const name of ["test", "e2e"]) {
    const watched = await watchCommand(["npm", "run", "--silent", name], null);
    findings.push(
      {
        what: `exit status of \`make ${name}\`, watched`,
        target: "0",
        found: String(watched.status),
        isMet: watched.status === 0,
      },
      none(`secrets seen in \`make ${name}\` (${toldWatch(watched)})`, seenIn(watched)),
    );
  }
  return findings;
}

const seenIn = ({ inArguments, inEnvironments, printed, leftBehind }: WatchedCommand) => [
  ...inArguments,
  ...inEnvironments,
  ...printed,
  ...leftBehind,
];
