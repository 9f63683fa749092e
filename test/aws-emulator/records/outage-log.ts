/**
 * From when to when a service did not do its work, by fault, closed port or bad base key, so that a test can
 * tell a poll with expired credentials that was our doing from one that nobody could have helped.
 */
import type { ServiceName } from "../faults/fault.ts";

export interface Outage {
  readonly cause: string;
  /** Null: all of them. */
  readonly service: ServiceName | null;
  readonly from: Date;
  readonly to: Date | null;
}

export class OutageLog {
  readonly #outages: Outage[] = [];

  begin(cause: string, service: ServiceName | null): void {
    this.end(cause);
    this.#outages.push({ cause, service, from: new Date(), to: null });
  }

  end(cause: string): void {
    const index = this.#outages.findIndex((outage) => outage.cause === cause && outage.to === null);
    const outage = this.#outages[index];
    if (outage !== undefined) this.#outages[index] = { ...outage, to: new Date() };
  }

  list(): Outage[] {
    return [...this.#outages];
  }

  /** Whether no outage of the service was in force at that moment. */
  isReachable(service: ServiceName, at: Date): boolean {
    return !this.#outages.some(
      (outage) =>
        (outage.service ?? service) === service &&
        outage.from <= at &&
        (outage.to === null || at <= outage.to),
    );
  }

  clear(): void {
    this.#outages.length = 0;
  }
}
