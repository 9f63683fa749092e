/** The account's quota of STS requests: a token bucket that holds a second of it, in real time. */
export class StsQuota {
  #tokens = Number.POSITIVE_INFINITY;
  #filledAt = performance.now();

  /** @returns whether this request is within `perSecond`; null is no limit */
  admits(perSecond: number | null): boolean {
    if (perSecond === null) return true;
    const now = performance.now();
    const refilled = this.#tokens + ((now - this.#filledAt) / 1_000) * perSecond;
    this.#tokens = Math.min(refilled, Math.max(perSecond, 1));
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
