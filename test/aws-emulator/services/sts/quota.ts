/** The account's quota of STS requests: a token bucket that holds a second of it. A refused request costs nothing. */
export class StsQuota {
  #tokens = Number.POSITIVE_INFINITY;
  #filledAtMs = 0;

  /**
   * @param perSecond the quota at this instant
   * @param nowMs instants of successive requests, ascending
   */
  admits(perSecond: number, nowMs: number): boolean {
    const refilled = this.#tokens + ((nowMs - this.#filledAtMs) / 1_000) * perSecond;
    this.#tokens = Math.min(refilled, Math.max(perSecond, 1));
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
