/** Every request that reached a service, with what became of it and without secrets. */
import { EventEmitter } from "node:events";
import type { ServiceName } from "../faults/fault.ts";
import type { CredentialsVerdict } from "../identity/authentication.ts";
import type { JsonObject } from "../json.ts";

export interface RequestRecord {
  /** Counts from 1, in order of arrival; goes on after `clear`. */
  readonly n: number;
  readonly at: Date;
  /** When the answer had been sent, or its client found gone; null until then, and for ever after a hang. */
  readonly endedAt: Date | null;
  readonly service: ServiceName;
  readonly action: string;
  readonly accessKeyId: string | null;
  readonly principalArn: string | null;
  /** What the credentials were worth on arrival. */
  readonly credentials: CredentialsVerdict;
  readonly credentialsExpireAt: Date | null;
  /** No fault or outage was in force for STS on arrival. */
  readonly stsReachable: boolean;
  readonly params: JsonObject;
  /** Null until answered, and for a request that gets no answer. */
  readonly status: number | null;
  readonly errorCode: string | null;
  /** The kinds of the faults that it met, joined by " + ". */
  readonly fault: string | null;
  readonly userAgent: string | null;
}

export type NewRequest = Omit<RequestRecord, "n" | "at" | "endedAt" | "status" | "errorCode">;
export type RequestEnd = Partial<Pick<RequestRecord, "endedAt" | "status" | "errorCode">>;

export class RequestLog {
  /** Emits "change" with the record when it is made and whenever it changes. */
  readonly changes = new EventEmitter<{ change: [RequestRecord] }>();
  readonly #records = new Map<number, RequestRecord>();
  #lastN = 0;

  add(request: NewRequest): number {
    this.#lastN += 1;
    const n = this.#lastN;
    this.#store({ n, at: new Date(), endedAt: null, status: null, errorCode: null, ...request });
    return n;
  }

  update(n: number, end: RequestEnd): void {
    const record = this.#records.get(n);
    if (record !== undefined) this.#store({ ...record, ...end });
  }

  list(): RequestRecord[] {
    return [...this.#records.values()];
  }

  clear(): void {
    this.#records.clear();
  }

  #store(record: RequestRecord): void {
    this.#records.set(record.n, record);
    this.changes.emit("change", record);
  }
}
