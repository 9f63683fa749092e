/** When a host calls AssumeRole: ours, by the product's own schedule and backoff, and what it is held against. */
import { offsetOf } from "../../src/config/load.ts";
import type { FailureKind, FailureReport } from "../../src/failure.ts";
import { backoffDelayMs } from "../../src/refresher/backoff.ts";
import { nextRefreshes } from "../../src/refresher/schedule.ts";

export const SCHEDULE = "*/30 * * * *";
/** What `splay: auto` comes to on this schedule; given, it spares parsing the schedule for each host. */
const SPLAY_MS = 1_800_000;
const DAY_MS = 86_400_000;

export interface FailedCall {
  atMs: number;
  kind: Extract<FailureKind, "throttled" | "server_error">;
  failuresInARow: number;
  throttledInARow: number;
  /** What is left of the session that the agent holds, in milliseconds; negative once it has expired. */
  remainingMs: number;
}

export interface Policy {
  name: string;
  /** How much later than the schedule a host calls, in milliseconds. */
  offsetOf(serial: string): number;
  /** The next call after one that succeeded, or after the start of the simulation. */
  scheduledAfter(ms: number, offsetMs: number): number;
  retryAt(call: FailedCall, offsetMs: number, random: () => number): number;
}

/** The instants of the schedule of a host without an offset, which nextRefreshes shifts by the offset and no more. */
const instants = nextRefreshes({ schedule: SCHEDULE, offsetMs: 0 }, -2 * 3_600_000, 96, 1);

function scheduledAfter(ms: number, offsetMs: number): number {
  let [low, high] = [0, instants.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((instants[middle] as number) + offsetMs > ms) high = middle;
    else low = middle + 1;
  }
  return (instants[low] ?? DAY_MS * 2) + offsetMs;
}

export const OURS: Policy = {
  name: "idc-codedeploy-helper",
  offsetOf: (serial) => offsetOf({ serial, splay: SPLAY_MS, schedule: SCHEDULE }),
  scheduledAfter,
  retryAt: ({ atMs, kind, ...facts }, _offset, random) => {
    const failure: FailureReport = { kind, message: "", nextStep: "" };
    return atMs + backoffDelayMs(failure, { ...facts, random: random() });
  },
};

/** The usual advice, with the same offsets. */
export const FULL_JITTER: Policy = {
  ...OURS,
  name: "full jitter up to 60 s",
  retryAt: ({ atMs, failuresInARow }, _offset, random) =>
    atMs + random() * Math.min(1_000 * 2 ** Math.min(failuresInARow - 1, 20), 60_000),
};

/** A script from cron: all at the same minute, one attempt each time. */
export const PLAIN_CRON: Policy = {
  name: "cron at minutes 0 and 30",
  offsetOf: () => 0,
  scheduledAfter,
  retryAt: ({ atMs }, offsetMs) => scheduledAfter(atMs, offsetMs),
};
