/**
 * An error as a service answers it. `code` is the name in the service's own model, or one of the generic codes
 * that `protocols/error-codes.ts` translates, because STS and the JSON services name the same error differently.
 */
export class AwsError extends Error {
  readonly code: string;
  /** Extra response headers, lower case. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, message = "", headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "AwsError";
    this.code = code;
    this.headers = headers;
  }
}
