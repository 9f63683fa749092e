/** The refreshes that `run` makes: the one under way, how the last one ended, and when to try again. */
import type { FailureReport } from "../failure.ts";
import type { Instant } from "../host/clock.ts";
import { backoffDelayMs } from "./backoff.ts";
import type { RefreshWarning } from "./issue.ts";
import type { RefreshChild, RefreshOutcome } from "./refresh-child.ts";
import type { RefreshReason } from "./refresh-policy.ts";

export interface Attempt {
  number: number;
  reason: RefreshReason;
  startedAtMs: number;
  finishedAtMs: number | null;
  result: "issued" | "failed" | null;
}

/** A run of failures; it ends with the next success. */
export interface FailureStreak {
  count: number;
  /** How many of them, up to the last, were for throttling. */
  throttled: number;
  sinceMs: number;
  last: FailureReport;
  retryBootMs: number;
}

export class Attempts {
  readonly #factor: number;
  readonly #random: () => number;
  #child: RefreshChild | null = null;
  #last: Attempt | null = null;
  #streak: FailureStreak | null = null;
  #warnings: RefreshWarning[] = [];

  constructor(factor: number, random: () => number = Math.random) {
    this.#factor = factor;
    this.#random = random;
  }

  /** The refresh under way; null when there is none. */
  get child(): RefreshChild | null {
    return this.#child;
  }

  get last(): Attempt | null {
    return this.#last;
  }

  get streak(): FailureStreak | null {
    return this.#streak;
  }

  get warnings(): RefreshWarning[] {
    return this.#warnings;
  }

  begin(child: RefreshChild, reason: RefreshReason, { wallMs }: Instant): void {
    this.#child = child;
    const number = (this.#last?.number ?? 0) + 1;
    this.#last = { number, reason, startedAtMs: wallMs, finishedAtMs: null, result: null };
  }

  /**
   * @param expiresBootMs when what the agent may hold expires; null when there is nothing to be in time for
   * @returns the streak that a success ended, or that a failure made longer
   */
  end(outcome: RefreshOutcome, now: Instant, expiresBootMs: number | null): FailureStreak | null {
    this.#child = null;
    if (this.#last) this.#last = { ...this.#last, finishedAtMs: now.wallMs, result: outcome.result };
    const before = this.#streak;
    if (outcome.result === "issued") {
      this.#warnings = outcome.warnings;
      this.#streak = null;
      return before;
    }
    const count = (before?.count ?? 0) + 1;
    const throttled = outcome.kind === "throttled" ? (before?.throttled ?? 0) + 1 : 0;
    const remainingMs = expiresBootMs === null ? null : (expiresBootMs - now.bootMs) * this.#factor;
    const facts = { failuresInARow: count, throttledInARow: throttled, random: this.#random(), remainingMs };
    const delayMs = backoffDelayMs(outcome, facts) / this.#factor;
    this.#streak = {
      count,
      throttled,
      sinceMs: before?.sinceMs ?? now.wallMs,
      last: outcome,
      retryBootMs: now.bootMs + delayMs,
    };
    return this.#streak;
  }
}
