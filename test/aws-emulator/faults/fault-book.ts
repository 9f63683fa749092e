/**
 * The faults in force. Those that match a request are used in the order in which they were set, one a request,
 * so that a sequence (two throttles, then a reset) is three faults with `times`. A slow service and a wrong
 * clock go with any other fault.
 */
import type { OutageLog } from "../records/outage-log.ts";
import type { Fault, FaultSpec, ServiceName } from "./fault.ts";
import { faultSpecSchema, isCircumstance } from "./fault.ts";

export interface FaultsInForce {
  readonly slow: Fault | null;
  readonly clockWrong: Fault | null;
  readonly failure: Fault | null;
}

export class FaultBook {
  readonly #outages: OutageLog;
  readonly #faults = new Map<number, Fault>();
  readonly #remaining = new Map<number, number>();
  #lastId = 0;

  constructor(outages: OutageLog) {
    this.#outages = outages;
  }

  set(spec: FaultSpec): Fault {
    const parsed = faultSpecSchema.parse(spec);
    this.#lastId += 1;
    const fault: Fault = { ...parsed, id: this.#lastId, setAt: new Date() };
    this.#faults.set(fault.id, fault);
    this.#remaining.set(fault.id, fault.times ?? Number.POSITIVE_INFINITY);
    // A slow service is still one that answers.
    if (fault.kind !== "slow") this.#outages.begin(causeOf(fault), fault.match.service ?? null);
    return fault;
  }

  list(): Fault[] {
    return [...this.#faults.values()];
  }

  /** Ends one fault, or all of them. */
  clear(id?: number): void {
    for (const fault of this.list()) if (id === undefined || fault.id === id) this.#end(fault);
  }

  /** The faults that this request meets, counted as used. */
  take(service: ServiceName, action: string): FaultsInForce {
    const matching = this.list().filter(
      ({ match }) => (match.service ?? service) === service && (match.action ?? action) === action,
    );
    const pick = (wanted: (fault: Fault) => boolean): Fault | null => this.#use(matching.find(wanted));
    return {
      slow: pick(({ kind }) => kind === "slow"),
      clockWrong: pick(({ kind }) => kind === "clock-wrong"),
      failure: pick((fault) => !isCircumstance(fault)),
    };
  }

  #use(fault: Fault | undefined): Fault | null {
    if (fault === undefined) return null;
    const remaining = (this.#remaining.get(fault.id) ?? 0) - 1;
    this.#remaining.set(fault.id, remaining);
    if (remaining <= 0) this.#end(fault);
    return fault;
  }

  #end(fault: Fault): void {
    this.#faults.delete(fault.id);
    this.#remaining.delete(fault.id);
    this.#outages.end(causeOf(fault));
  }
}

function causeOf(fault: Fault): string {
  return `fault ${fault.id}: ${fault.kind}`;
}
