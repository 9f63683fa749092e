/**
 * Endurance: one `run` lives through 20,000 refreshes with faults among them and must hold no more at their end than
 * after their beginning; and an hour without STS must not fill the journal.
 */
import type { Campaign, CampaignOptions, CampaignOutcome, Finding } from "../campaign.ts";
import { type Life, type LifeOptions, live, type Sample, TIME_FACTOR } from "./life.ts";
import { countOutageLines, OUTAGES, type OutageCount } from "./outage.ts";

export const campaign: Campaign = { title: "Endurance", run };

type Size = Omit<LifeOptions, "seed" | "directory" | "signal"> & { outageFactor: number; outages: number };

const SIZES: Readonly<Record<CampaignOptions["scale"], Size>> = {
  full: {
    refreshes: 20_000,
    limitMs: 120 * 60_000,
    warmUp: 2_000,
    faults: 0.1,
    realEvery: 50,
    lastingEvery: 4_000,
    disturbances: 0.01,
    outageFactor: 60,
    outages: OUTAGES.length,
  },
  quick: {
    refreshes: 120,
    limitMs: 10 * 60_000,
    warmUp: 30,
    faults: 0.1,
    realEvery: 25,
    lastingEvery: null,
    disturbances: 0.02,
    outageFactor: 600,
    outages: 1,
  },
};

const LEAST_FAULTS = 0.08;
const MOST_GROWTH_KIB = 1_024;
const LINES_BELOW = 20;
/** Its own two pipes, the timer of its sleep, and a file that it is just looking at. */
const MOST_RESOURCES = 4;
const RESOURCES = ["PipeWrap", "Timeout", "FSReqPromise", "CloseReq"];
/** What may lie there: docs/design.md. */
const FILES = [
  "agent.json",
  "credentials",
  "refresh.json",
  "refresh.lock",
  "requests",
  "requests/sync",
  "run.json",
  "run.lock",
  "status.json",
];

async function run({ scale, seed, directory, signal }: CampaignOptions): Promise<CampaignOutcome> {
  const size = SIZES[scale];
  const life = await live({ ...size, seed, directory, signal });
  const outages: OutageCount[] = [];
  for (const outage of OUTAGES.slice(-size.outages))
    outages.push(await countOutageLines(outage, size.outageFactor, seed, directory));
  const faults = sum(life.faults);
  return {
    tried: [
      `${number(life.refreshes)} refreshes of one \`run\``,
      `${number(life.real)} of them real processes`,
      `${number(faults)} with a fault, of ${life.faults.size} kinds`,
      `${number(sum(life.disturbances))} disturbances of ${life.disturbances.size} kinds`,
      `${number(life.answers)} answers of the oneshot`,
      `${outages.length} hours without STS`,
    ].join(", "),
    findings: [
      ...amounts(life, size, faults),
      ...(scale === "full" ? [memory(life, size)] : []),
      ...leftovers(life),
      ...outages.map(quietness),
    ],
    more: tables(life),
  };
}

function amounts(
  { refreshes, faults: kinds, seconds, stopped }: Life,
  size: Size,
  faults: number,
): Finding[] {
  const share = faults / refreshes;
  return [
    {
      what: `refreshes that one \`run\` lived through (schedule \`* * * * *\`, clock ×${TIME_FACTOR}, ${Math.round(seconds)} s)`,
      target: number(size.refreshes),
      found: number(refreshes),
      isMet: refreshes >= size.refreshes,
      detail: `its time was over: ${(seconds / refreshes).toFixed(3)} s each`,
    },
    {
      what: "share of them that met a fault",
      target: "about 10 %",
      found: `${(share * 100).toFixed(1)} %`,
      isMet: share >= LEAST_FAULTS,
      detail: [...kinds].map(([kind, count]) => `${kind}: ${count}`).join("\n  "),
    },
    {
      what: "its exit status after SIGTERM",
      target: "0",
      found: String(stopped),
      isMet: stopped === 0,
    },
  ];
}

function memory({ samples, refreshes }: Life, { warmUp }: Size): Finding {
  const window = (refreshes - warmUp) / 10;
  const between = (from: number, to: number) =>
    median(samples.filter(({ refresh }) => refresh >= from && refresh < to));
  const start = between(warmUp, warmUp + window);
  const end = between(refreshes - window, refreshes);
  const growthKiB = end - start;
  return {
    what: `growth of its private memory from ${megabytes(start)} (medians of the first and of the last tenth after the first ${number(warmUp)} refreshes)`,
    target: "at most 1.0 MB",
    found: megabytes(growthKiB),
    isMet: growthKiB <= MOST_GROWTH_KIB,
    detail: samples
      .filter((_, index) => index % Math.ceil(samples.length / 40) === 0)
      .map(({ refresh, memoryKiB }) => `${refresh}: ${memoryKiB} KiB`)
      .join("\n  "),
  };
}

/** Of a hundred and more samples; none at all is a fault of the campaign. */
function median(samples: readonly Sample[]): number {
  const sorted = samples.map(({ memoryKiB }) => memoryKiB).sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error("no sample of the memory");
  return middle;
}

function leftovers({ before, after, resources, files }: Life): Finding[] {
  const more = after.descriptors.length - before.descriptors.length;
  const strangers = files.filter((name) => !FILES.includes(name));
  const unexpected = resources.filter((name) => !RESOURCES.includes(name));
  return [
    {
      what: `descriptors at rest, besides the ${before.descriptors.length} after the warm-up`,
      target: "0",
      found: String(more),
      isMet: more === 0,
      detail: `before: ${before.descriptors.join(", ")}\n  after: ${after.descriptors.join(", ")}`,
    },
    {
      what: "children at rest, ended and not waited for included",
      target: "0",
      found: String(after.children),
      isMet: after.children === 0,
    },
    {
      what: `threads, besides the ${before.threads} after the warm-up`,
      target: "0",
      found: String(after.threads - before.threads),
      isMet: after.threads === before.threads,
    },
    {
      what: "timers and other things at rest that keep its event loop alive, as Node counts them",
      target: `at most ${MOST_RESOURCES}`,
      found: String(resources.length),
      isMet: resources.length <= MOST_RESOURCES && unexpected.length === 0,
      detail: resources.join(", "),
    },
    {
      what: "files in the state and runtime directories afterwards that are not ours to leave",
      target: "0",
      found: String(strangers.length),
      isMet: strangers.length === 0 && files.length > 0,
      detail: strangers.join(", "),
    },
  ];
}

function quietness({ what, failures, lines }: OutageCount): Finding {
  return {
    what: `lines in the journal in an hour of total outage: ${what} (${number(failures)} refreshes failed)`,
    target: `fewer than ${LINES_BELOW}`,
    found: String(lines.length),
    isMet: lines.length < LINES_BELOW && failures > 0,
    detail: lines.join("\n  "),
  };
}

function tables({ faults, disturbances, samples, events }: Life): string {
  const list = (of: ReadonlyMap<string, number>) =>
    [...of]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([what, count]) => `${what} ${number(count)}`)
      .join(", ");
  const course = Array.from(
    { length: 11 },
    (_, tenth) => samples[Math.round((tenth / 10) * (samples.length - 1))],
  )
    .flatMap((sample) => (sample === undefined ? [] : [sample]))
    .map(({ refresh, memoryKiB }) => `${megabytes(memoryKiB)} at ${number(refresh)}`);
  return [
    `Faults: ${list(faults)}.`,
    `Disturbances: ${list(disturbances)}.`,
    `Lines in its journal: ${list(events)}.`,
    `Private memory, single samples: ${course.join(", ")}.`,
  ].join("\n\n");
}

const sum = (counts: ReadonlyMap<string, number>) =>
  [...counts.values()].reduce((total, each) => total + each, 0);
const number = (value: number) => value.toLocaleString("en");
const megabytes = (kib: number) => `${(kib / 1_024).toFixed(1)} MB`;
