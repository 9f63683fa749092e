/** A fleet of 100,000 hosts on one account and region, in what may happen to all of them at once. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { atMost, type Bench, type Finding, type Outcome, rounded, table } from "../findings.ts";
import { drawFleet, type Line } from "../plot.ts";
import { type Course, live } from "./fleet.ts";
import {
  bestSecondsUntilFresh,
  medianWaits,
  orderByExpiry,
  peakOverMean,
  secondsOverQuota,
  secondsUntilFresh,
} from "./measures.ts";
import { FULL_JITTER, OURS, PLAIN_CRON, type Policy } from "./policies.ts";
import { OUTAGES, POWER_CUT, QUOTA, type Scenario, STEADY, TENTH } from "./scenarios.ts";

export const HOSTS = 100_000;
const SEED = 20_261_128;
const POLICIES = [OURS, FULL_JITTER, PLAIN_CRON];
const PLOT = fileURLToPath(new URL("../../docs/fleet.svg", import.meta.url));
const PLOTTED_S = 900;
const BIN_S = 5;

export const bench: Bench = { title: "A fleet of 100,000 hosts", run };

interface Lived {
  scenario: Scenario;
  policy: Policy;
  course: Course;
}

async function run({ signal }: { signal: AbortSignal }): Promise<Outcome> {
  const lives: Lived[] = [];
  for (const scenario of [STEADY, POWER_CUT, ...OUTAGES, TENTH]) {
    for (const policy of POLICIES) {
      signal.throwIfAborted();
      lives.push({ scenario, policy, course: live(scenario, policy, HOSTS, SEED) });
    }
  }
  writeFileSync(PLOT, await drawFleet(lives.filter(isPlotted).flatMap(linesOf), QUOTA));
  return {
    findings: lives.filter(({ policy }) => policy === OURS).flatMap(findingsOf),
    more: `${table([HEAD, ...lives.map(row)])}\n\n![Calls a second after each of them](fleet.svg)`,
  };
}

function findingsOf({ scenario, course }: Lived): Finding[] {
  if (scenario === STEADY) {
    const [from, to] = measured(scenario);
    return [
      atMost(
        `${scenario.name}: peak over mean in bins of 10 s`,
        1.2,
        peakOverMean(course.offered, 10, from, to),
      ),
    ];
  }
  if (scenario === TENTH) {
    const late = course.expiredHosts;
    return [
      {
        what: `${scenario.name}: hosts whose session expires`,
        target: "0",
        found: String(late),
        isMet: late === 0,
      },
    ];
  }
  const best = bestSecondsUntilFresh(course, scenario);
  const ratio = secondsUntilFresh(course, scenario) / best;
  const congested = Math.max(secondsOverQuota(course, scenario) - best, 0);
  return [
    atMost(
      `${scenario.name}: all hosts fresh, in times of what the quota allows at best (${rounded(best)} s)`,
      2,
      ratio,
    ),
    atMost(
      `${scenario.name}: more offered than the quota, beyond what the backlog needs`,
      120,
      congested,
      " s",
    ),
  ];
}

const HEAD = [
  "what happens",
  "policy",
  "all fresh after (at best), s",
  "over the quota, s",
  "calls for each granted",
  "wait of the tenth that expires first, and of all: medians, s",
  "order by expiry (1: perfect)",
  "hosts expired",
];

function row({ scenario, policy, course }: Lived): string[] {
  const [from, to] = measured(scenario);
  const total = (perSecond: Uint32Array) => perSecond.slice(from, to).reduce((sum, calls) => sum + calls, 0);
  const waits = course.backlog.length < 2 ? null : medianWaits(course.backlog, scenario.overMs);
  const isTrouble = scenario !== STEADY && scenario !== TENTH;
  return [
    scenario.name,
    policy.name,
    isTrouble
      ? `${rounded(secondsUntilFresh(course, scenario))} (${rounded(bestSecondsUntilFresh(course, scenario))})`
      : "",
    String(secondsOverQuota(course, scenario)),
    rounded(total(course.offered) / total(course.granted)),
    waits === null ? "" : `${rounded(waits.nearest)}, ${rounded(waits.all)}`,
    waits === null ? "" : orderByExpiry(course.backlog).toFixed(2),
    course.expiredHosts.toLocaleString("en"),
  ];
}

/** The seconds in which a scenario is measured. */
function measured({ overMs, endMs }: Scenario): [number, number] {
  return [Math.floor(overMs / 1_000), Math.floor(endMs / 1_000)];
}

const isPlotted = ({ scenario }: Lived) => scenario !== STEADY && scenario !== TENTH;

function linesOf({ scenario, policy, course }: Lived): Line[] {
  const [from] = measured(scenario);
  return Array.from({ length: PLOTTED_S / BIN_S }, (_, bin) => {
    const start = from + bin * BIN_S;
    const calls = course.offered.slice(start, start + BIN_S).reduce((sum, count) => sum + count, 0);
    return {
      scenario: scenario.name,
      policy: policy.name,
      second: bin * BIN_S,
      callsPerSecond: calls / BIN_S,
    };
  });
}
