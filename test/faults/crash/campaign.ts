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
import { type FileSystem, withImages } from "./disk.ts";
import { ADOPT, REGISTER } from "./host-bench.ts";
import {
  errorPoints,
  type Fault,
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
const killsAtChanges: Choice = (run) => killPoints(run.ours.filter(isChange), run);
const errorsAtFiles = (run: Run, faults: readonly Fault[]) =>
  errorPoints(run.ours.filter(isFileChange), run).filter(({ fault }) => faults.includes(fault));
const fullOrBroken: Choice = (run) => errorsAtFiles(run, ["ENOSPC", "EIO"]);
const full: Choice = (run) => errorsAtFiles(run, ["ENOSPC"]);

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
      ...[REGISTER, ADOPT].flatMap((subject) => [
        { subject, points: "SIGKILL before every change", choose: killsAtChanges },
        { subject, points: "ENOSPC and EIO at every change of a file", choose: fullOrBroken },
      ]),
    ],
    power: POWER_SUBJECTS.flatMap((subject) =>
      BOTH.map((kind): [PowerSubject, FileSystem] => [subject, kind]),
    ),
  },
};

/** One more than there are processors: each waits for its processes much of the time. */
const WORKERS = availableParallelism() + 1;

export const campaign: Campaign = { title: "Crash consistency", run };

async function run({ scale, directory, signal }: CampaignOptions): Promise<CampaignOutcome> {
  mustHave("strace", "mount", "losetup", "mkfs.ext4", ...(scale === "full" ? ["mkfs.xfs"] : []));
  const { scopes, power } = SCALES[scale];
  const findings: Finding[] = [];
  const rows: string[] = [];
  let points = 0;
  for (const [n, { subject, points: what, choose }] of scopes.entries()) {
    const own = join(directory, `${n}`);
    mkdirSync(own);
    const outcome = await attempt({ subject, directory: own, workers: WORKERS, signal, choose });
    const tried = sum(outcome);
    points += tried;
    findings.push(kept(`${subject.command}, ${subject.situation}: ${what}`, tried, outcome.broken, "points"));
    findings.push(reached(subject, outcome));
    rows.push(row(subject, outcome));
  }
  const cuts = await withImages(directory, async (images) => {
    let count = 0;
    for (const [subject, kind] of power) {
      const outcome = await cutPower(subject, kind, images, signal);
      count += outcome.cuts;
      const what = `${subject.command}, ${subject.situation}: the power cut at every write, ${kind}`;
      findings.push(kept(what, outcome.cuts, outcome.broken, "cuts"));
    }
    return count;
  });
  return {
    tried: `${points} points of system calls, ${cuts} power cuts`,
    findings,
    more: `${TABLE}\n${rows.join("\n")}`,
  };
}

const FAULTS = ["SIGKILL", "ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EMFILE", "EINTR", "ENOMEM"];
const TABLE = `Points tried, by fault:\n\n| command | ${FAULTS.join(" | ")} |\n|---|${FAULTS.map(() => "--:|").join("")}`;

function row({ command, situation }: Subject, { tried }: Attempts): string {
  const cells = FAULTS.map((fault) => tried.get(fault) ?? "");
  return `| ${command}, ${situation} | ${cells.join(" | ")} |`;
}

const sum = ({ tried }: Attempts): number => tried.values().reduce((total, count) => total + count, 0);

/** What was tried must be something: a campaign that tried nothing has kept no promise. */
function kept(what: string, tried: number, broken: readonly Broken[], unit: string): Finding {
  return {
    what,
    target: "nothing torn, leaked, left over or without a message; the next run mends it",
    found: `${broken.length} broken of ${tried} ${unit}`,
    isMet: broken.length === 0 && tried > 0,
    detail: broken.map(({ point, faults }) => `\n  ${point}\n    ${faults.join("\n    ")}`).join(""),
  };
}

function reached({ command, situation }: Subject, { missed }: Attempts): Finding {
  return {
    what: `${command}, ${situation}: points that no try came to`,
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
