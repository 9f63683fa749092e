/**
 * STS as one account and region sees it: a token bucket that refills at the quota (FACTS: 600 requests a second) and
 * holds a second of it. A refused call costs no token, as AWS documents its buckets.
 */

export type StsAnswer = "granted" | "throttled" | "server_error";

export interface StsConditions {
  /** Requests a second at an instant; 0 while STS answers nothing but errors. */
  quotaAt(ms: number): number;
}

const BURST_S = 1;

export class StsModel {
  readonly #conditions: StsConditions;
  #tokens = Number.POSITIVE_INFINITY;
  #filledAt = 0;

  constructor(conditions: StsConditions) {
    this.#conditions = conditions;
  }

  /** @param ms instants of successive calls, ascending */
  call(ms: number): StsAnswer {
    const quota = this.#conditions.quotaAt(ms);
    const refilled = this.#tokens + ((ms - this.#filledAt) / 1_000) * quota;
    this.#tokens = Math.min(refilled, quota * BURST_S);
    this.#filledAt = ms;
    if (quota === 0) return "server_error";
    if (this.#tokens < 1) return "throttled";
    this.#tokens -= 1;
    return "granted";
  }
}
