/**
 * How long to wait after a failed refresh. One loop retries, for ever; nothing below it does.
 *
 * Jittered, so that a fleet that failed together does not come back together, but never below half of the step:
 * a delay near zero would only add load (AWS Builders' Library, "Timeouts, retries, and backoff with jitter").
 */
import { type FailureKind, type FailureReport, needsAPerson } from "../failure.ts";

const FIRST_MS = 1_000;
const LONGEST_MS = 40_000;
/** A throttled account is crowded: its hosts step aside at once, and further than for a server's trouble. */
const THROTTLED_FIRST_MS = 10_000;
const THROTTLED_GROWTH = 3;
const THROTTLED_LONGEST_MS = 120_000;
/** What is left of a session when its successor is due, on the default schedule. */
const UNHURRIED_MS = 30 * 60_000;
/** Failures that only a person can mend, while there is time; a change of base credentials or config is tried at once. */
const PERSON_MS = 300_000;
const LONGEST_RETRY_AFTER_MS = 600_000;

/**
 * However long a kind of failure usually lasts, what is left of the session must leave room for some attempts; and once
 * nothing is left, the agent polls in vain, so what comes back by itself must be noticed within the minute.
 */
const ATTEMPTS_BEFORE_EXPIRY = 4;
/** What this host alone decides: nothing changes without its files changing, which is noticed at once. */
const DECIDED_HERE: ReadonlySet<FailureKind> = new Set(["config", "cloned_machine"]);

export interface BackoffFacts {
  /** 1 after the first failure. */
  failuresInARow: number;
  /** How many of them, up to the last, were for throttling. */
  throttledInARow: number;
  /** From 0 to 1. */
  random: number;
  /** What is left of the session that the agent holds, in milliseconds; null when it holds none. */
  remainingMs: number | null;
}

/** @returns milliseconds; never less than the server asked for */
export function backoffDelayMs(failure: FailureReport, facts: BackoffFacts): number {
  const { random, remainingMs } = facts;
  const cap =
    remainingMs === null || DECIDED_HERE.has(failure.kind)
      ? Number.POSITIVE_INFINITY
      : Math.max(remainingMs / ATTEMPTS_BEFORE_EXPIRY, LONGEST_MS);
  const delay = Math.min(longestDelay(failure, facts), cap) * (0.5 + random / 2);
  return Math.max(delay, Math.min(failure.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS));
}

function longestDelay({ kind }: FailureReport, facts: BackoffFacts): number {
  if (needsAPerson(kind)) return PERSON_MS;
  if (kind === "throttled") return throttledDelay(facts);
  return Math.min(FIRST_MS * 2 ** Math.min(facts.failuresInARow - 1, 20), LONGEST_MS);
}

/**
 * Of the hosts that crowd STS, those whose session ends soon ask more often than those that have time, so that they are
 * served first although none knows of the others. Counted from the first throttled answer: what failed before it was an
 * outage, after which everybody comes back at once. The figures are from the fleet simulation (docs/performance.md).
 */
function throttledDelay({ throttledInARow, remainingMs }: BackoffFacts): number {
  const step = THROTTLED_FIRST_MS * THROTTLED_GROWTH ** Math.min(throttledInARow - 1, 20);
  if (remainingMs === null || remainingMs <= 0) return Math.min(step, LONGEST_MS);
  const leisure = Math.min(remainingMs / UNHURRIED_MS, 1) ** 2;
  return Math.min(step, Math.max(THROTTLED_LONGEST_MS * leisure, THROTTLED_FIRST_MS));
}
