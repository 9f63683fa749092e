/**
 * The agent's copy of the credentials, and when it looks at the file again.
 *
 * The agent's `FileCredentials` pretends that what it read lasts 1,800 s; the AWS SDK's `RefreshingCredentials`
 * reads anew at the first request at which fewer than 300 of them remain. Both reckon in whole seconds of the wall
 * clock, so a clock stepped back delays the next read (FACTS). `make readers` holds this class against both.
 *
 * No clock and no file inside: the caller says what time it is and how to read.
 */
const PRETENDED_LIFE_SECONDS = 1800;
/** `SYNC_EXPIRATION_LENGTH` of the SDK. */
const RENEW_BEFORE_SECONDS = 300;

export interface HeldCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string | undefined;
}

export type Reading =
  | { kind: "read"; credentials: HeldCredentials }
  /** No file, no permission, or no such profile in it: the SDK raises before it has assigned anything. */
  | { kind: "unreadable" }
  /** The profile lacks a key: the agent has already dropped its old copy when it raises. */
  | { kind: "incomplete" };

export type CredentialSource = () => Reading;

/** The agent raises this out of the request at hand; the worker survives it, except at start. */
export class CredentialsUnreadable extends Error {
  override name = "CredentialsUnreadable";
}

export class CredentialHolder {
  readonly #source: CredentialSource;
  #held: HeldCredentials | undefined;
  #pretendedExpirySeconds: number | undefined;

  constructor(source: CredentialSource) {
    this.#source = source;
  }

  /** Whether a request at this wall-clock time (in seconds) would read the file first. */
  isDue(nowSeconds: number): boolean {
    if (this.#pretendedExpirySeconds === undefined) return true;
    return Math.floor(nowSeconds) + RENEW_BEFORE_SECONDS > this.#pretendedExpirySeconds;
  }

  /**
   * What a request at this wall-clock time (in seconds) is signed with; `undefined` when an incomplete file has
   * made the agent drop its copy.
   *
   * @throws {CredentialsUnreadable} if a read was due and failed; the next request tries again
   */
  credentials(nowSeconds: number): HeldCredentials | undefined {
    if (this.isDue(nowSeconds)) this.refresh(nowSeconds);
    return this.#held;
  }

  /**
   * Reads now, due or not: at start, and when the service has refused the credentials as expired or unknown
   * (`refresh!` in the SDK's `retry_errors.rb`).
   */
  refresh(nowSeconds: number): HeldCredentials {
    const reading = this.#source();
    if (reading.kind === "incomplete") this.#held = undefined;
    if (reading.kind !== "read") throw new CredentialsUnreadable("Failed to load credentials");
    this.#held = reading.credentials;
    this.#pretendedExpirySeconds = Math.floor(nowSeconds) + PRETENDED_LIFE_SECONDS;
    return this.#held;
  }
}
