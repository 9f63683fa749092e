/**
 * The credential holder as the worker's requests use it: on the agent's wall clock, with every read traced.
 */
import { type CredentialHolder, CredentialsUnreadable, type HeldCredentials } from "./credential-holder.ts";
import type { ReadReason, Trace } from "./trace.ts";

/** What the SDK raises when a request has nothing to sign with. */
export class MissingCredentials extends Error {
  override name = "MissingCredentials";
}

export class AgentCredentials {
  readonly #holder: CredentialHolder;
  /** The agent's wall clock, in seconds. */
  readonly #now: () => number;
  readonly #trace: Trace;

  constructor(holder: CredentialHolder, now: () => number, trace: Trace) {
    this.#holder = holder;
    this.#now = now;
    this.#trace = trace;
  }

  /** @throws {CredentialsUnreadable | MissingCredentials} out of the request at hand */
  forRequest(): HeldCredentials {
    const now = this.#now();
    if (this.#holder.isDue(now)) return this.#read(now, "near_expiry");
    const held = this.#holder.credentials(now);
    if (!held) throw new MissingCredentials("unable to sign request without credentials set");
    return held;
  }

  /** @throws {CredentialsUnreadable} */
  readNow(reason: ReadReason): HeldCredentials {
    return this.#read(this.#now(), reason);
  }

  #read(now: number, reason: ReadReason): HeldCredentials {
    try {
      const credentials = this.#holder.refresh(now);
      this.#trace("credentials_read", { accessKeyId: credentials.accessKeyId, reason });
      return credentials;
    } catch (error) {
      if (error instanceof CredentialsUnreadable) {
        this.#trace("credentials_unreadable", { reason, message: error.message });
      }
      throw error;
    }
  }
}
