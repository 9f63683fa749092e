/** Continuity: thousands of weeks of hosts to which everything happens, lived through by the real decisions. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { configFromText } from "../../../src/config/load.ts";
import { CONFIG_FILE } from "../../../src/config/paths.ts";
import type { Campaign, CampaignOptions, CampaignOutcome, Finding } from "../campaign.ts";
import { compareAgents } from "./agent-check.ts";
import { bundleSimulator } from "./bundle.ts";
import { add, type Counts, noCounts } from "./counts.ts";
import type { ProgramName, Work } from "./worker.ts";

const DAYS = 7;
const TRACES = { quick: 60, full: 10_000 };
/** Lives of the stand-in agent, side by side, that the model is held against, and how long they are. */
const AGENTS = { quick: { count: 2, hours: 1 }, full: { count: 12, hours: 4 } };
const MOST_RECOVERY_S = 60;
const MOST_CALLS_A_DAY = 60;
/** Threads fetch their work in portions, so that none is left waiting for another. */
const PORTION = 20;
const CONFIG = `serial: serial-ABCDEFG
region: ap-northeast-2
role_arn: arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile
`;

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
  const sums = await liveThroughAll(file, seeds, programs, signal);
  const ours = sums.get("ours") ?? noCounts();
  return {
    tried: `${ours.traces.toLocaleString("en")} traces of ${DAYS} simulated days, ${ours.polls.toLocaleString("en")} polls of the agent`,
    findings: [...findingsOf(ours), agents],
    more: compared(sums),
  };
}

async function checkModel(scale: CampaignOptions["scale"], seed: number): Promise<Finding> {
  const { count, hours } = AGENTS[scale];
  const checks = await Promise.all(
    Array.from({ length: count }, (_, index) => compareAgents(seed + index, hours)),
  );
  const differing = checks.filter(({ model, standIn }) => model.join() !== standIn.join());
  const reads = checks.reduce((sum, { model }) => sum + model.length, 0);
  return {
    what: `lives of the agent's model that differ from the stand-in agent's (${count} of ${hours} h, ${reads} reads of the file)`,
    target: "0",
    found: String(differing.length),
    isMet: differing.length === 0 && reads > count,
    detail: differing
      .map(({ model, standIn }) => `model: ${model.join(", ")}; stand-in: ${standIn.join(", ")}`)
      .join("\n"),
  };
}

/** @returns the sums of all threads, by program */
export async function liveThroughAll(
  file: string,
  seeds: readonly number[],
  programs: readonly ProgramName[],
  signal: AbortSignal,
): Promise<Map<ProgramName, Counts>> {
  const { config } = configFromText(CONFIG, { path: CONFIG_FILE, unknownKeys: "error", env: {} });
  const left = [...seeds];
  const sums = new Map<ProgramName, Counts>(programs.map((name) => [name, noCounts()]));
  const thread = async () => {
    while (left.length > 0) {
      signal.throwIfAborted();
      const work: Work = { programs, seeds: left.splice(0, PORTION), days: DAYS, config, isTold: false };
      for (const [name, counts] of await liveThroughSome(file, work)) {
        sums.set(name, add(sums.get(name) ?? noCounts(), counts));
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, thread));
  return sums;
}

function liveThroughSome(file: string, workerData: Work): Promise<Map<ProgramName, Counts>> {
  return new Promise((resolve, reject) => {
    // The schedule is local time; which one is no matter, but it must be the same everywhere.
    const worker = new Worker(file, { workerData, env: { ...process.env, TZ: "Asia/Seoul" } });
    worker.on("message", (sums: Map<ProgramName, Counts>) => resolve(sums));
    worker.on("error", reject);
    worker.on("exit", (code) => reject(new Error(`a thread of the simulator ended with status ${code}`)));
  });
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
