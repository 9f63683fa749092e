/** Continuity: thousands of weeks of hosts to which everything happens, lived through by the real decisions. */
import type { Campaign, CampaignOptions, CampaignOutcome, Finding } from "../campaign.ts";
import { compareAgents } from "./agent-check.ts";
import { bundleSimulator } from "./bundle.ts";
import { type Counts, noCounts } from "./counts.ts";
import { liveThroughAll } from "./threads.ts";
import { compareToday } from "./today-check.ts";
import type { ProgramName } from "./worker.ts";

const DAYS = 7;
const TRACES = { quick: 24, full: 10_000 };
/** Lives of the stand-in agent, side by side, that the model is held against, and how long they are. */
const AGENTS = { quick: { count: 2, hours: 1 }, full: { count: 12, hours: 4 } };
const MOST_RECOVERY_S = 60;
const MOST_CALLS_A_DAY = 60;
/** A file that keeps the sums of what has been lived through, for a run that is broken off and taken up again. */
const KEPT_IN = process.env.CONTINUITY_KEPT_IN;

const PROGRAMS: Readonly<Record<ProgramName, string>> = {
  ours: "idc-codedeploy-helper",
  "cron-script": "cron with the script, every 30 min",
  "get-sts-creds": "`get_sts_creds` from cron, every 15 min",
  "signing-helper": "`aws_signing_helper update`, `Restart=always`",
  "restarting-watcher": "the script, and a watcher that restarts the agent",
};

export const campaign: Campaign = { title: "Continuity: a week of everything, thousands of times", run };

async function run({ scale, seed, directory, signal }: CampaignOptions): Promise<CampaignOutcome> {
  const file = await bundleSimulator(directory);
  const seeds = Array.from({ length: TRACES[scale] }, (_, index) => (seed + index) >>> 0);
  const programs = Object.keys(PROGRAMS) as ProgramName[];
  // Before anything else wants the machine: these live by a clock of their own.
  const agents = await checkModel(scale, seed);
  const today = await checkToday(scale, directory);
  const sums = await liveThroughAll({ file, seeds, programs, days: DAYS, kept: KEPT_IN, signal });
  const ours = sums.get("ours") ?? noCounts();
  return {
    tried: `${ours.traces.toLocaleString("en")} traces, each of ${DAYS} simulated days, ${ours.polls.toLocaleString("en")} polls of the agent`,
    findings: [howMany(ours.traces, seeds.length), ...findingsOf(ours), agents, today],
    more: compared(sums),
  };
}

function howMany(traces: number, wanted: number): Finding {
  return {
    what: "traces lived through, before the run was ended",
    target: wanted.toLocaleString("en"),
    found: traces.toLocaleString("en"),
    isMet: traces >= wanted,
    detail: "it was interrupted",
  };
}

async function checkModel(scale: CampaignOptions["scale"], seed: number): Promise<Finding> {
  const { count, hours } = AGENTS[scale];
  const checks = await Promise.all(
    Array.from({ length: count }, (_, index) => compareAgents(seed + index, hours)),
  );
  const undisturbed = checks.filter(({ wasDisturbed }) => !wasDisturbed);
  const differing = undisturbed.filter(({ model, standIn }) => model.join() !== standIn.join());
  const disturbed = checks.length - undisturbed.length;
  const reads = undisturbed.reduce((sum, { model }) => sum + model.length, 0);
  return {
    what: `lives of the agent's model that differ from the stand-in agent's (${undisturbed.length} of ${hours} h, ${reads} reads of the file${disturbed === 0 ? "" : `; ${disturbed} more do not count, for the machine was too busy for them`})`,
    target: "0",
    found: String(differing.length),
    isMet: differing.length === 0 && reads > undisturbed.length,
    detail: differing
      .map(({ model, standIn }) => `model: ${model.join(", ")}; stand-in: ${standIn.join(", ")}`)
      .join("\n"),
  };
}

async function checkToday(scale: CampaignOptions["scale"], directory: string): Promise<Finding> {
  const { cases, differing, hadTinyDisk } = await compareToday(directory, scale === "quick");
  const without = hadTinyDisk ? "" : "; a full disk could not be tried, for nothing can be mounted here";
  return {
    what: `cases in which the models of today's programs differ from the real boto3 and Ruby ones (${cases}${without})`,
    target: "0",
    found: String(differing.length),
    isMet: differing.length === 0 && cases > 0,
    detail: differing.join("\n"),
  };
}

function findingsOf(ours: Counts): Finding[] {
  const zero = (what: string, found: number, detail = "") => ({
    what,
    target: "0",
    found: found.toLocaleString("en"),
    isMet: found === 0,
    detail: detail === "" ? "it happened" : detail,
  });
  const seeds = (list: readonly number[]) => `seeds ${list.slice(0, 20).join(", ")}`;
  const recoveryS = ours.longestRecoveryMs / 1_000;
  return [
    zero(
      "seconds of polling with an expired credential, with nothing in the way",
      Math.round(ours.expiredS.nothing),
      seeds(ours.guiltySeeds),
    ),
    zero("lifecycle events failed by us", ours.eventsFailedByUs),
    zero("deployed processes killed by us", ours.processesKilledByUs),
    zero("reloads without need", ours.needlessReloads, seeds(ours.needlessSeeds)),
    {
      what: `longest time from STS coming back to a fresh file (${ours.recoveries.toLocaleString("en")} times)`,
      target: `at most ${MOST_RECOVERY_S} s`,
      found: `${recoveryS.toFixed(1)} s`,
      isMet: ours.recoveries > 0 && recoveryS <= MOST_RECOVERY_S,
      detail: seeds(ours.slowSeeds),
    },
    {
      what: "most AssumeRole calls on a day without faults",
      target: `at most ${MOST_CALLS_A_DAY}`,
      found: String(ours.mostCallsADay),
      isMet: ours.mostCallsADay > 0 && ours.mostCallsADay <= MOST_CALLS_A_DAY,
    },
  ];
}

function compared(sums: ReadonlyMap<ProgramName, Counts>): string {
  const columns = ["", ...[...sums.keys()].map((name) => PROGRAMS[name])];
  const row = (what: string, of: (counts: Counts) => string) => [what, ...[...sums.values()].map(of)];
  const perWeek = (value: number, { days }: Counts) =>
    ((value * 7) / days).toLocaleString("en", { maximumFractionDigits: 1 });
  const rows = [
    row("nothing could be deployed though the agent ran and AWS was in reach, h a week", (c) =>
      perWeek(c.deafS / 3_600, c),
    ),
    row("expired polling, nothing in the way, s a week", (c) => perWeek(c.expiredS.nothing, c)),
    row("longest of it, s", (c) => Math.round(c.longestExpiredS.nothing).toLocaleString("en")),
    row(
      "a lifecycle event in the way, s a week (longest)",
      (c) => `${perWeek(c.expiredS.event, c)} (${Math.round(c.longestExpiredS.event).toLocaleString("en")})`,
    ),
    row("our own config broken by hand in the way, s a week", (c) => perWeek(c.expiredS.config, c)),
    row("a full disk in the way, s a week", (c) => perWeek(c.expiredS.disk, c)),
    row("STS or the host itself down, s a week", (c) => perWeek(c.expiredS.outage, c)),
    row("lifecycle events failed by it, a week", (c) => perWeek(c.eventsFailedByUs, c)),
    row("deployed processes killed by it, a week", (c) => perWeek(c.processesKilledByUs, c)),
    row("reloads and restarts, a week", (c) => perWeek(c.reloads + c.restarts, c)),
    row("of them needed only for want of seeing into the agent", (c) => perWeek(c.needlessInHindsight, c)),
    row("AssumeRole calls, a week", (c) => perWeek(c.assumeRoleCalls, c)),
  ];
  return [columns, columns.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
