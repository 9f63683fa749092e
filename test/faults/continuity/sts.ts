/** STS as the host finds it: what it answers at each moment, and which sessions it has issued. */
import type { Random } from "./random.ts";
import type { VirtualTime } from "./virtual-time.ts";

/**
 * How STS or the way to it fails. `network`: nothing of AWS is reachable, for the agent neither. `expired-key`: the
 * base credentials have expired, or were taken away. `denied`: they have lost their right. `slow` answers come within
 * the time that everybody waits for them, so that they are no excuse.
 */
export type StsFault =
  | "network"
  | "refused"
  | "silent"
  | "server-error"
  | "throttled"
  | "denied"
  | "expired-key"
  | "bad-answer"
  | "partial"
  | "slow"
  | "too-slow";

/** Faults that mean no more than that STS cannot be reached, or does not answer as it should. */
export const REACHABILITY: ReadonlySet<StsFault> = new Set([
  "network",
  "refused",
  "silent",
  "server-error",
  "partial",
  "too-slow",
]);

export interface Session {
  token: string;
  issuedAt: number;
  expiresAt: number;
}

export type StsReply =
  | { kind: "session"; session: Session }
  | { kind: "cut"; code: string; afterMs: number }
  /** No answer at all: the caller's own time limit ends it. */
  | { kind: "silence"; isConnected: boolean }
  | { kind: "error"; code: string; message: string; status: number; retryAfterMs: number | null }
  | { kind: "nonsense"; how: Nonsense };

/** Whole answers of the wrong shape: none at all, without one of its parts, for another session, or long expired. */
export const NONSENSE = ["empty", "no-token", "no-expiration", "other-session", "expired"] as const;
export type Nonsense = (typeof NONSENSE)[number];

const SKEW_LIMIT_MS = 300_000;

export class Sts {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #active = new Map<symbol, StsFault>();
  readonly #slow = new Map<symbol, StsFault>();
  /** What "bad-answer" may be. */
  nonsense: readonly Nonsense[] = NONSENSE;
  /** The role's MaxSessionDuration. */
  longestMs = 12 * 3_600_000;
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
    (fault === "slow" ? this.#slow : this.#active).set(key, fault);
    return key;
  }

  end(key: symbol): void {
    this.#slow.delete(key);
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
    return this.#active.size > 0 && [...this.#active.values()].includes("network");
  }

  session(token: string): Session | undefined {
    return this.#sessions.get(token);
  }

  /** @param signedAtMs the time in the request's signature */
  assumeRole(durationMs: number, signedAtMs: number): StsReply {
    this.onCall();
    const [fault] = this.#active.values();
    const error = (code: string, status: number, message = code): StsReply => ({
      kind: "error",
      code,
      message,
      status,
      retryAfterMs: null,
    });
    switch (fault) {
      case "network":
        return this.#random.chance(0.5)
          ? { kind: "cut", code: "ENETUNREACH", afterMs: 1 }
          : { kind: "silence", isConnected: false };
      case "refused":
        return { kind: "cut", code: "ECONNREFUSED", afterMs: 1 };
      case "silent":
        return { kind: "silence", isConnected: true };
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
        return { kind: "nonsense", how: this.#random.oneOf(this.nonsense) };
      case "partial":
        // AWS has granted it, and the answer breaks off on its way.
        this.#issue(durationMs);
        return { kind: "cut", code: "ECONNRESET", afterMs: 1 };
    }
    if (Math.abs(signedAtMs - this.#time.now) > SKEW_LIMIT_MS) return error("RequestTimeTooSkewed", 403);
    if (durationMs > this.longestMs)
      return error(
        "ValidationError",
        400,
        "DurationSeconds exceeds the MaxSessionDuration set for this role",
      );
    return { kind: "session", session: this.#issue(durationMs) };
  }

  /** How long an answer takes. */
  latencyMs(): number {
    if (this.#active.size > 0 && [...this.#active.values()].includes("too-slow"))
      return this.#random.between(61_000, 200_000);
    return this.#slow.size > 0 ? this.#random.between(1_000, 9_000) : this.#random.logBetween(20, 800);
  }

  #issue(durationMs: number): Session {
    const issuedAt = this.#time.now;
    const token = `token-${this.#sessions.size}`;
    const session = { token, issuedAt, expiresAt: Math.floor((issuedAt + durationMs) / 1_000) * 1_000 };
    this.#sessions.set(token, session);
    return session;
  }
}
