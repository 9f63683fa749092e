/**
 * What a check found, as a value: how it stands, what was seen, and what mends it. No secret is ever in one: it goes to
 * the terminal and to monitoring.
 */
export type FindingState = "pass" | "warn" | "fail" | "unknown";

export interface Finding {
  state: FindingState;
  /** What was seen, in a sentence. */
  seen: string;
  /** What a command alone cannot say; empty where the commands are enough. */
  advice: string;
  /** Commands that mend it, each to be typed by root as it stands. */
  mend: readonly string[];
  /** Whether it counts in the verdict: what nobody asked for, or another check tells already, does not. */
  counts: boolean;
}

export interface Remedy {
  advice?: string;
  mend?: readonly string[];
}

export function pass(seen: string): Finding {
  return finding("pass", seen, {});
}

export function warn(seen: string, remedy: Remedy): Finding {
  return finding("warn", seen, remedy);
}

export function fail(seen: string, remedy: Remedy): Finding {
  return finding("fail", seen, remedy);
}

/** Something that this user may not see. */
export function unseen(seen: string, remedy: Remedy): Finding {
  return finding("unknown", seen, remedy);
}

/** Not seen, and no fault of the host: it takes a flag, or somebody else's rights. */
export function left(seen: string, remedy: Remedy = {}): Finding {
  return { ...finding("unknown", seen, remedy), counts: false };
}

function finding(state: FindingState, seen: string, { advice = "", mend = [] }: Remedy): Finding {
  return { state, seen, advice, mend, counts: true };
}

/** Thrown by a fact that another one stands in the way of: the check then says so instead of failing again. */
export class Unmet extends Error {
  override readonly name = "Unmet";
}
