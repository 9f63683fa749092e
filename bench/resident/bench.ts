/** The resident process: what it holds after a hundred refreshes, how often it wakes, and what a day of it costs. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Emulator, startEmulator } from "../../test/aws-emulator/emulator.ts";
import { privateMemoryKiB } from "../../test/faults/endurance/process-measures.ts";
import { eventually } from "../../test/harness/eventually.ts";
import { cpuTimeMs } from "../../test/harness/processes.ts";
import { ScratchHost } from "../../test/harness/scratch-host.ts";
import { atMost, type Bench, type Finding, type Outcome, rounded, table } from "../findings.ts";
import { median } from "../fleet/measures.ts";
import { compare } from "../processes/compare.ts";
import { BOTO3, refreshers } from "../refresh/contestants.ts";

const LIMITS = { privateMiB: 13, rssMiB: 56, wakeUps: 2, cpuOfBoto3: 1 / 3 };
const REFRESHES = 100;
/** Half an hour in a second and a half: what the children need, on this machine. */
const TIME_FACTOR = 1_200;
const DAY_REFRESHES = 48;
const RUNS = 3;
const WATCHED_S = 180;
const LIMIT_MS = 15 * 60_000;

export const bench: Bench = { title: "The resident process", run };

async function run({ directory }: { directory: string }): Promise<Outcome> {
  const emulator = await startEmulator({ timeFactor: TIME_FACTOR });
  const calm = await startEmulator();
  try {
    const lives: Life[] = [];
    for (let index = 0; index < RUNS; index += 1) lives.push(await live(emulator, directory));
    const wakeUps = await wakeUpsAtRest(calm, directory);
    const boto3Ms = await boto3CpuMs(calm, directory);
    return report(lives, wakeUps, boto3Ms);
  } finally {
    await emulator.close();
    await calm.close();
  }
}

interface Life {
  privateMiB: number;
  rssMiB: number;
  /** Of the process and all its children, for 48 refreshes: a day of the default schedule. */
  dayCpuMs: number;
  ownCpuMs: number;
}

async function live(emulator: Emulator, directory: string): Promise<Life> {
  const host = new ScratchHost({ endpoint: emulator.url, timeFactor: TIME_FACTOR, parent: directory });
  emulator.requests.clear();
  const reach = (count: number) =>
    eventually(
      () => emulator.requests.list().filter(({ status }) => status === 200).length >= count,
      () => `${emulator.requests.list().length} requests`,
      LIMIT_MS,
    );
  try {
    const { pid } = host.startRun();
    await reach(REFRESHES - DAY_REFRESHES);
    const before = cpuTimeMs(pid);
    await reach(REFRESHES);
    const after = cpuTimeMs(pid);
    return {
      privateMiB: privateMemoryKiB(pid) / 1_024,
      rssMiB: rssKiB(pid) / 1_024,
      dayCpuMs: after.withChildren - before.withChildren,
      ownCpuMs: after.own - before.own,
    };
  } finally {
    await host.close();
  }
}

/** By its main thread, in real time and with nothing to do: how often it left its wait of its own accord. */
async function wakeUpsAtRest(emulator: Emulator, directory: string): Promise<number> {
  const host = new ScratchHost({ endpoint: emulator.url, parent: directory });
  try {
    const { pid } = host.startRun();
    await host.waitForStatus(({ state }) => state === "fresh", "the first refresh");
    // The file's news, and the first question to the agent.
    await sleep(60_000);
    const before = switches(pid);
    await sleep(WATCHED_S * 1_000);
    return ((switches(pid) - before) * 60) / WATCHED_S;
  } finally {
    await host.close();
  }
}

async function boto3CpuMs(emulator: Emulator, directory: string): Promise<number> {
  const host = new ScratchHost({ endpoint: emulator.url, parent: directory });
  try {
    const site = { host, endpoint: emulator.url, caBundle: null };
    const [script] = refreshers(site).filter(({ name }) => name === BOTO3);
    if (script === undefined) throw new Error("there is no boto3 script");
    const [measured] = await compare([script], { rounds: 15 });
    return measured?.cpuMs ?? Number.NaN;
  } finally {
    await host.close();
  }
}

function report(lives: readonly Life[], wakeUps: number, boto3Ms: number): Outcome {
  const of = (key: keyof Life) => median(lives.map((life) => life[key]));
  const findings: Finding[] = [
    atMost(`private memory after ${REFRESHES} refreshes`, LIMITS.privateMiB, of("privateMiB"), " MiB"),
    atMost(`resident memory (RSS) after ${REFRESHES} refreshes`, LIMITS.rssMiB, of("rssMiB"), " MiB"),
    atMost("wake-ups of its main thread at rest, a minute", LIMITS.wakeUps, wakeUps),
    {
      what: `CPU of a day (${DAY_REFRESHES} refreshes), children included, against ${DAY_REFRESHES} runs of the boto3 script`,
      target: "at most a third",
      found: (of("dayCpuMs") / (DAY_REFRESHES * boto3Ms)).toFixed(2),
      isMet: of("dayCpuMs") / (DAY_REFRESHES * boto3Ms) <= LIMITS.cpuOfBoto3,
    },
  ];
  const rows = [
    ["", `median of ${RUNS}`, "single runs"],
    ...(["privateMiB", "rssMiB", "dayCpuMs", "ownCpuMs"] as const).map((key) => [
      NAMES[key],
      rounded(of(key)),
      lives.map((life) => rounded(life[key])).join(", "),
    ]),
    ["boto3 script, CPU of one run, ms", rounded(boto3Ms), ""],
  ];
  return { findings, more: table(rows) };
}

const NAMES: Readonly<Record<keyof Life, string>> = {
  privateMiB: "private memory, MiB",
  rssMiB: "RSS, MiB",
  dayCpuMs: "CPU of 48 refreshes, children included, ms",
  ownCpuMs: "of it the resident process's own, ms",
};

function rssKiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

function switches(pid: number): number {
  const text = readFileSync(`/proc/${pid}/task/${pid}/status`, "utf8");
  return Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(text)?.[1]);
}
