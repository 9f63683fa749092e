/** STS as the host finds it: what it answers at each moment, and which sessions it has issued. */
import type { Random } from "./random.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** How STS or the way to it fails. `network`: nothing of AWS is reachable, for the agent neither. */
export type StsFault =
  | "network"
  | "refused"
  | "silent"
  | "server-error"
  | "throttled"
  | "denied"
  | "expired-key"
  | "bad-answer"
  | "slow";

/** Faults that mean no more than that STS cannot be reached, or does not answer as it should. */
export const REACHABILITY: ReadonlySet<StsFault> = new Set(["network", "refused", "silent", "server-error"]);

export interface Session {
  token: string;
  issuedAt: number;
  expiresAt: number;
}

export type StsReply =
  | { kind: "session"; session: Session }
  | { kind: "cut"; code: string; afterMs: number }
  /** No answer at all: the caller's own time limit ends it. */
  | { kind: "silence" }
  | { kind: "error"; code: string; status: number; retryAfterMs: number | null }
  | { kind: "nonsense" };

const SKEW_LIMIT_MS = 300_000;

export class Sts {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #active = new Map<symbol, StsFault>();
  readonly #sessions = new Map<string, Session>();
  #goodSince: number;
  /** What ended last, and when; with it, a host that tries may have its file anew. */
  lastFault: StsFault | null = null;
  onCall: () => void = () => undefined;
  onRecovered: (fault: StsFault) => void = () => undefined;

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
    this.#goodSince = time.now;
  }

  begin(fault: StsFault): symbol {
    const key = Symbol(fault);
    this.#active.set(key, fault);
    return key;
  }

  end(key: symbol): void {
    const fault = this.#active.get(key);
    this.#active.delete(key);
    if (fault === undefined || this.#active.size > 0) return;
    this.#goodSince = this.#time.now;
    this.lastFault = fault;
    this.onRecovered(fault);
  }

  get isGood(): boolean {
    return this.#active.size === 0;
  }

  /** Since when it has been reachable and granting; null while it is not. */
  get goodSince(): number | null {
    return this.isGood ? this.#goodSince : null;
  }

  get isNetworkDown(): boolean {
    return [...this.#active.values()].includes("network");
  }

  session(token: string): Session | undefined {
    return this.#sessions.get(token);
  }

  /** @param signedAtMs the time in the request's signature */
  assumeRole(durationMs: number, signedAtMs: number): StsReply {
    this.onCall();
    const fault = [...this.#active.values()].find((each) => each !== "slow");
    const error = (code: string, status: number): StsReply => ({
      kind: "error",
      code,
      status,
      retryAfterMs: null,
    });
    switch (fault) {
      case "network":
        return this.#random.chance(0.5)
          ? { kind: "cut", code: "ENETUNREACH", afterMs: 1 }
          : { kind: "silence" };
      case "refused":
        return { kind: "cut", code: "ECONNREFUSED", afterMs: 1 };
      case "silent":
        return { kind: "silence" };
      case "server-error":
        return error("InternalFailure", this.#random.oneOf([500, 502, 503]));
      case "throttled":
        return {
          ...error("Throttling", 400),
          retryAfterMs: this.#random.chance(0.2) ? 30_000 : null,
        } as StsReply;
      case "denied":
        return error("AccessDenied", 403);
      case "expired-key":
        return error("InvalidClientTokenId", 403);
      case "bad-answer":
        return { kind: "nonsense" };
    }
    if (Math.abs(signedAtMs - this.#time.now) > SKEW_LIMIT_MS) return error("RequestTimeTooSkewed", 403);
    return { kind: "session", session: this.#issue(durationMs) };
  }

  /** How long an answer takes. */
  latencyMs(): number {
    const isSlow = [...this.#active.values()].includes("slow");
    return isSlow ? this.#random.between(1_000, 9_000) : this.#random.logBetween(20, 800);
  }

  #issue(durationMs: number): Session {
    const issuedAt = this.#time.now;
    const token = `token-${this.#sessions.size}`;
    const session = { token, issuedAt, expiresAt: Math.floor((issuedAt + durationMs) / 1_000) * 1_000 };
    this.#sessions.set(token, session);
    return session;
  }
}
