/** What happens to the whole fleet at once. Times in milliseconds from the start of the simulation. */
import type { StsConditions } from "./sts-model.ts";

/** FACTS: STS's default quota for each account and region, in requests a second. */
export const QUOTA = 600;
const MINUTE_MS = 60_000;

export interface Scenario extends StsConditions {
  name: string;
  endMs: number;
  /** From here on everything is measured: the trouble is over, or the power is back. */
  overMs: number;
  /** When a host starts; absent where all have been running. */
  bootAt?: (random: () => number) => number;
  /** When the sessions expired that the hosts still had at their boot. */
  expiresAtBoot: number;
}

const BEFORE_MS = 40 * MINUTE_MS;

function outage(minutes: number): Scenario {
  const overMs = BEFORE_MS + minutes * MINUTE_MS;
  return {
    name: `STS down for ${minutes} min`,
    overMs,
    endMs: overMs + 40 * MINUTE_MS,
    expiresAtBoot: 0,
    quotaAt: (ms) => (ms >= BEFORE_MS && ms < overMs ? 0 : QUOTA),
  };
}

export const STEADY: Scenario = {
  name: "two quiet hours",
  overMs: 60 * MINUTE_MS,
  endMs: 180 * MINUTE_MS,
  expiresAtBoot: 0,
  quotaAt: () => QUOTA,
};

export const POWER_CUT: Scenario = {
  name: "all hosts boot within a minute",
  overMs: 0,
  endMs: 40 * MINUTE_MS,
  bootAt: (random) => random() * MINUTE_MS,
  // Off for longer than a session lasts: the worst case.
  expiresAtBoot: -MINUTE_MS,
  quotaAt: () => QUOTA,
};

/** In 28 minutes some sessions come within seconds of their end: where the order counts most. */
export const OUTAGES: readonly Scenario[] = [outage(5), outage(20), outage(28), outage(90)];

export const TENTH: Scenario = {
  name: "the quota cut to a tenth for two hours",
  overMs: BEFORE_MS,
  endMs: BEFORE_MS + 120 * MINUTE_MS,
  expiresAtBoot: 0,
  quotaAt: (ms) => (ms >= BEFORE_MS ? QUOTA / 10 : QUOTA),
};
