/**
 * How long to wait after a failed refresh. One loop retries, for ever; nothing below it does.
 *
 * Jittered, so that a fleet that failed together does not come back together, but never below half of the step:
 * a delay near zero would only add load (AWS Builders' Library, "Timeouts, retries, and backoff with jitter").
 */
import { type FailureKind, type FailureReport, needsAPerson } from "../failure.ts";

const FIRST_MS = 1_000;
const LONGEST_MS = 40_000;
const THROTTLED_FIRST_MS = 5_000;
const THROTTLED_LONGEST_MS = 160_000;
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
  /** From 0 to 1. */
  random: number;
  /** What is left of the session that the agent holds, in milliseconds; null when it holds none. */
  remainingMs: number | null;
}

/** @returns milliseconds; never less than the server asked for */
export function backoffDelayMs(failure: FailureReport, facts: BackoffFacts): number {
  const { failuresInARow, random, remainingMs } = facts;
  const cap =
    remainingMs === null || DECIDED_HERE.has(failure.kind)
      ? Number.POSITIVE_INFINITY
      : Math.max(remainingMs / ATTEMPTS_BEFORE_EXPIRY, LONGEST_MS);
  const delay = Math.min(longestDelay(failure, failuresInARow), cap) * (0.5 + random / 2);
  return Math.max(delay, Math.min(failure.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS));
}

function longestDelay({ kind }: FailureReport, failuresInARow: number): number {
  if (needsAPerson(kind)) return PERSON_MS;
  const doublings = Math.min(failuresInARow - 1, 20);
  if (kind === "throttled") return Math.min(THROTTLED_FIRST_MS * 2 ** doublings, THROTTLED_LONGEST_MS);
  return Math.min(FIRST_MS * 2 ** doublings, LONGEST_MS);
}
