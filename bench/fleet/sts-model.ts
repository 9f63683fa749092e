/**
 * STS as one account and region sees it: a token bucket that refills at the quota (FACTS: 600 requests a second) and
 * holds a second of it. A refused call costs no token, as AWS documents its buckets.
 */
import { StsQuota } from "../../test/aws-emulator/services/sts/quota.ts";

export type StsAnswer = "granted" | "throttled" | "server_error";

export interface StsConditions {
  /** Requests a second at an instant; 0 while STS answers nothing but errors. */
  quotaAt(ms: number): number;
}

export class StsModel {
  readonly #conditions: StsConditions;
  readonly #bucket = new StsQuota();

  constructor(conditions: StsConditions) {
    this.#conditions = conditions;
  }

  /** @param ms instants of successive calls, ascending */
  call(ms: number): StsAnswer {
    const quota = this.#conditions.quotaAt(ms);
    if (quota === 0) return "server_error";
    return this.#bucket.admits(quota, ms) ? "granted" : "throttled";
  }
}
