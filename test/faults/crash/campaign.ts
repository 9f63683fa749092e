/**
 * Crash consistency: our commands broken off at their system calls, and the power cut at the writes of their disk.
 * Which points each scale tries stands in SCOPES; what each of them simulates, in docs/reliability.md.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Campaign, CampaignOptions, CampaignOutcome, Finding } from "../campaign.ts";
import { type Attempts, attempt, type Broken } from "./attempts.ts";
import type { Subject } from "./bench.ts";
import { type FileSystem, inMemory } from "./disk.ts";
import { ERRNOS } from "./errnos.ts";
import { ADOPT, REGISTER } from "./host-bench.ts";
import { Journal } from "./journal.ts";
import { inOwnNamespace } from "./own-namespace.ts";
import {
  errorKindPoints,
  errorPoints,
  isChange,
  isFileChange,
  killPoints,
  type Point,
  type Run,
} from "./points.ts";
import { cutPower, POWER_SUBJECTS, type PowerSubject } from "./power-loss.ts";
import { FIRST_REFRESH, REFRESH } from "./refresh-bench.ts";
import { SYNC_AGENT } from "./sync-bench.ts";

type Choice = (run: Run) => Point[];

const everyKill: Choice = (run) => killPoints(run.ours, run);
const everyError: Choice = (run) => errorPoints(run.ours, run);
const everyKindOfError: Choice = (run) => errorKindPoints(run.ours, run);
const killsAtChanges: Choice = (run) => killPoints(run.ours.filter(isChange), run);
const full: Choice = (run) =>
  errorPoints(run.ours.filter(isFileChange), run).filter(({ fault }) => fault === "ENOSPC");

interface Scope {
  subject: Subject;
  /** In words, for the document. */
  points: string;
  choose: Choice;
}

interface Scale {
  scopes: readonly Scope[];
  power: readonly [PowerSubject, FileSystem][];
}

const BOTH: readonly FileSystem[] = ["ext4", "xfs"];
const [replacing] = POWER_SUBJECTS;

const SCALES: Readonly<Record<CampaignOptions["scale"], Scale>> = {
  quick: {
    scopes: [
      { subject: REFRESH, points: "SIGKILL before every change", choose: killsAtChanges },
      { subject: REFRESH, points: "ENOSPC at every change of a file", choose: full },
      { subject: SYNC_AGENT, points: "SIGKILL before every change", choose: killsAtChanges },
    ],
    power: replacing === undefined ? [] : [[replacing, "ext4"]],
  },
  full: {
    scopes: [
      ...[FIRST_REFRESH, REFRESH, SYNC_AGENT].flatMap((subject) => [
        { subject, points: "SIGKILL before every call", choose: everyKill },
        { subject, points: "every error at every call", choose: everyError },
      ]),
      // The thousands last: a run that is broken off has then come to all the rest.
      ...[
        { points: "SIGKILL before every change", choose: killsAtChanges },
        { points: "every kind of error at every call", choose: everyKindOfError },
      ].flatMap((scope) => [REGISTER, ADOPT].map((subject) => ({ subject, ...scope }))),
    ],
    power: POWER_SUBJECTS.flatMap((subject) =>
      BOTH.map((kind): [PowerSubject, FileSystem] => [subject, kind]),
    ),
  },
};

const WORKERS = Math.min(2, availableParallelism());

export const campaign: Campaign = { title: "Crash consistency", run };

function run(options: CampaignOptions): Promise<CampaignOutcome> {
  const isFull = options.scale === "full";
  mustHave("strace", "mount", "losetup", "mkfs.ext4", ...(isFull ? ["mkfs.xfs"] : []));
  return inOwnNamespace(options);
}

/** Mounts file systems: not for a process whose mounts others see. */
export function tryAll(options: CampaignOptions): Promise<CampaignOutcome> {
  const journal = options.scale === "full" ? Journal.ofThisProgram() : Journal.none();
  return inMemory(options.directory, (directory) => tryScopes({ ...options, directory }, journal));
}

async function tryScopes(
  { scale, directory, signal }: CampaignOptions,
  journal: Journal,
): Promise<CampaignOutcome> {
  const started = performance.now();
  const { scopes, power } = SCALES[scale];
  const findings: Finding[] = [];
  const rows: string[] = [];
  let cuts = 0;
  for (const [subject, kind] of power) {
    const what = `${subject.command}, ${subject.situation}: the power cut at every write, ${kind}`;
    if (signal.aborted) {
      findings.push(notBegun(what));
      continue;
    }
    const outcome = await cutPower(subject, kind, { directory, journal, signal });
    cuts += outcome.cuts;
    console.log(`${what}: ${outcome.cuts} of ${outcome.of}`);
    findings.push(kept(what, outcome.cuts, outcome.of, outcome.broken, "cuts"));
  }
  // What an earlier run was left with, it has not told.
  const isTakenUp = journal.earlierSeconds > 0;
  let points = 0;
  for (const [n, { subject, points: scope, choose }] of scopes.entries()) {
    const what = `${subject.command}, ${subject.situation}: ${scope}`;
    if (signal.aborted) {
      findings.push(notBegun(what));
      continue;
    }
    const own = join(directory, `${n}`);
    mkdirSync(own);
    const plan = { subject, scope, choose, directory: own, workers: WORKERS, journal, signal };
    const outcome = await attempt(plan);
    const tried = sum(outcome);
    points += tried;
    console.log(`${what}: ${tried} of ${outcome.points}, ${outcome.missed.length} missed`);
    findings.push(kept(what, tried, outcome.points - outcome.missed.length, outcome.broken, "points"));
    findings.push(reached(what, outcome));
    rows.push(row(subject, outcome, `${await subject.statesLeft()}${isTakenUp ? " or more" : ""}`));
  }
  const earlier = journal.earlierSeconds / 60;
  journal.seconds((performance.now() - started) / 1_000);
  return {
    tried: `${points} points of system calls, ${cuts} power cuts${earlier < 1 ? "" : `; begun ${earlier.toFixed(0)} min earlier in a run that was interrupted`}`,
    findings,
    more: `${TABLE}\n${rows.join("\n")}`,
  };
}

const FAULTS = ["SIGKILL", ...ERRNOS];
const TABLE = `Points tried, by fault, and how many different states they left on the host, where each is judged but once:\n\n| command | ${FAULTS.join(" | ")} | states |\n|---|${FAULTS.map(() => "--:|").join("")}--:|`;

function row({ command, situation }: Subject, { tried }: Attempts, states: string): string {
  const cells = FAULTS.map((fault) => tried.get(fault) ?? "");
  return `| ${command}, ${situation} | ${cells.join(" | ")} | ${states} |`;
}

const sum = ({ tried }: Attempts): number => tried.values().reduce((total, count) => total + count, 0);

const TARGET = "nothing torn, leaked, left over or without a message; the next run mends it";

const notBegun = (what: string): Finding => ({
  what,
  target: TARGET,
  found: "not begun in the time there was",
  isMet: false,
});

/** What was tried must be something, and all there is: a campaign that was cut short has kept no promise. */
function kept(what: string, tried: number, all: number, broken: readonly Broken[], unit: string): Finding {
  const untried = all - tried;
  return {
    what,
    target: TARGET,
    found: `${broken.length} broken of ${tried} ${unit}${untried === 0 ? "" : `; ${untried} not tried in the time there was`}`,
    isMet: broken.length === 0 && tried > 0 && untried === 0,
    detail: broken.map(({ point, faults }) => `\n  ${point}\n    ${faults.join("\n    ")}`).join(""),
  };
}

function reached(what: string, { missed }: Attempts): Finding {
  return {
    what: `${what}: points that no try came to`,
    target: "0",
    found: `${missed.length}`,
    isMet: missed.length === 0,
    detail: missed.map((point) => `\n  ${point}`).join(""),
  };
}

function mustHave(...programs: string[]): void {
  if (process.geteuid?.() !== 0) throw new Error("this campaign mounts file systems: it needs root");
  const missing = programs.filter((program) => spawnSync(program, ["--version"]).error !== undefined);
  if (missing.length > 0) {
    throw new Error(`this campaign needs ${missing.join(", ")} (Debian: strace, mount, e2fsprogs, xfsprogs)`);
  }
}
