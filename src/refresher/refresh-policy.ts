/** Whether to refresh now, and if not, when to look again: a pure decision on facts that are passed in. */
import type { FileState } from "../credentials/record.ts";

export type RefreshReason =
  | "missing"
  | "foreign"
  | "outdated"
  | "past_half_life"
  | "schedule"
  | "retry"
  | "asked";

export interface RefreshFacts {
  nowBootMs: number;
  file: FileState;
  /** Of the recorded credentials; null when there is no record. */
  halfLifeBootMs: number | null;
  expiresBootMs: number | null;
  /** The next instant of the schedule; null when it is not known. */
  scheduledBootMs: number | null;
  /** After a failure: when to try again. */
  retryBootMs: number | null;
  /** Start of the service, a jump of the clock, a wake-up: what was taken for granted is looked at again. */
  isUnsettled: boolean;
  /** An operator or a changed base credential asks for one. */
  isAsked: boolean;
  /** What must remain of the session when its successor is fetched, in milliseconds. */
  marginMs: number;
}

export type RefreshDecision = { refresh: RefreshReason } | { refresh: null; untilBootMs: number };

export function decideRefresh(facts: RefreshFacts): RefreshDecision {
  const { nowBootMs, file, halfLifeBootMs, isUnsettled, isAsked, retryBootMs } = facts;
  if (isAsked) return { refresh: "asked" };
  const isPastHalfLife = halfLifeBootMs === null || nowBootMs >= halfLifeBootMs;
  if (isUnsettled && file !== "ours") return { refresh: file };
  if (isUnsettled && isPastHalfLife) return { refresh: "past_half_life" };
  if (retryBootMs !== null) {
    return nowBootMs >= retryBootMs ? { refresh: "retry" } : { refresh: null, untilBootMs: retryBootMs };
  }
  if (file !== "ours") return { refresh: file };
  const due = dueBootMs(facts);
  if (due !== null && nowBootMs >= due) return { refresh: "schedule" };
  return { refresh: null, untilBootMs: due ?? Number.POSITIVE_INFINITY };
}

/**
 * The schedule decides, unless the session ends too soon for it (a role that allows less than was asked for, or
 * a clock set forward): then half of its life does, as with every lease that is to be renewed in time.
 */
function dueBootMs({
  scheduledBootMs,
  expiresBootMs,
  halfLifeBootMs,
  marginMs,
}: RefreshFacts): number | null {
  if (expiresBootMs === null || halfLifeBootMs === null) return scheduledBootMs;
  if (scheduledBootMs !== null && scheduledBootMs + marginMs <= expiresBootMs) return scheduledBootMs;
  return scheduledBootMs === null ? halfLifeBootMs : Math.min(scheduledBootMs, halfLifeBootMs);
}
