/** What is read off the course of a fleet. */
import type { Course, Waited } from "./fleet.ts";
import type { Scenario } from "./scenarios.ts";

/** Peak over mean of the calls in bins of so many seconds, within a span of seconds. */
export function peakOverMean(perSecond: Uint32Array, binS: number, fromS: number, toS: number): number {
  const bins: number[] = [];
  for (let start = fromS; start + binS <= toS; start += binS) bins.push(sum(perSecond, start, start + binS));
  return (Math.max(...bins) * bins.length) / bins.reduce((total, bin) => total + bin, 0);
}

/** Seconds from the end of the trouble until nobody waits any more; Infinity when that never comes. */
export function secondsUntilFresh({ waiting, needs }: Course, { overMs }: Scenario): number {
  const overS = Math.floor(overMs / 1_000);
  let needed = 0;
  const all = overMs === 0 ? sum(needs, 0, needs.length) : 0;
  for (let second = overS; second < waiting.length; second += 1) {
    needed += needs[second] as number;
    const haveAllBegun = overMs > 0 || second >= 60 || needed >= all;
    if (waiting[second] === 0 && haveAllBegun) return second + 1 - overS;
  }
  return Number.POSITIVE_INFINITY;
}

/** The same, had STS served everybody in turn without a refused call: what its quota allows at best. */
export function bestSecondsUntilFresh({ needs, waiting }: Course, scenario: Scenario): number {
  const overS = Math.floor(scenario.overMs / 1_000);
  let queue = overS === 0 ? 0 : (waiting[overS - 1] as number);
  for (let second = overS; second < needs.length; second += 1) {
    queue += needs[second] as number;
    const quota = scenario.quotaAt(second * 1_000);
    if (queue <= quota && (overS > 0 || second >= 59)) return second - overS + queue / quota;
    queue = Math.max(queue - quota, 0);
  }
  return Number.POSITIVE_INFINITY;
}

/** Seconds in which more was offered than the quota, in bins of ten, after the trouble was over. */
export function secondsOverQuota({ offered }: Course, scenario: Scenario): number {
  const binS = 10;
  let seconds = 0;
  for (let start = Math.ceil(scenario.overMs / 1_000); start + binS <= offered.length; start += binS) {
    if (sum(offered, start, start + binS) > scenario.quotaAt(start * 1_000) * binS) seconds += binS;
  }
  return seconds;
}

/** Spearman's rank correlation of expiry and service: 1 when those nearest to expiry were all served first. */
export function orderByExpiry(backlog: readonly Waited[]): number {
  const byExpiry = ranks(backlog.map(({ expiresAt }) => expiresAt));
  const byGrant = ranks(backlog.map(({ grantedAt }) => grantedAt));
  const count = backlog.length;
  const squares = byExpiry.reduce(
    (total, rank, index) => total + (rank - (byGrant[index] as number)) ** 2,
    0,
  );
  return 1 - (6 * squares) / (count * (count * count - 1));
}

/** Median wait in seconds of the tenth that expires first, and of all. */
export function medianWaits(backlog: readonly Waited[], overMs: number): { nearest: number; all: number } {
  const sorted = [...backlog].sort((a, b) => a.expiresAt - b.expiresAt);
  const wait = ({ grantedAt }: Waited) => (grantedAt - overMs) / 1_000;
  const tenth = sorted.slice(0, Math.ceil(sorted.length / 10));
  return { nearest: median(tenth.map(wait)), all: median(sorted.map(wait)) };
}

function ranks(values: readonly number[]): Float64Array {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] as number) - (values[b] as number));
  const result = new Float64Array(values.length);
  for (const [rank, index] of order.entries()) result[index] = rank;
  return result;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function sum(values: Uint32Array, from: number, to: number): number {
  let total = 0;
  for (let index = from; index < to; index += 1) total += values[index] as number;
  return total;
}
