/**
 * Why a call of the agent failed, and whether the SDK for Ruby would try it again by itself
 * (`retries/error_inspector.rb` of aws-sdk-core 3.168).
 */
export class ServiceFailure extends Error {
  override name = "ServiceFailure";
  /** The service's error code, or `NetworkingError` when no answer came. */
  readonly code: string;
  /** HTTP status, or 0 when no answer came. */
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }

  /** The SDK then makes the credentials provider read anew, and tries again with what it got. */
  get credentialsRefused(): boolean {
    return REFUSED_CREDENTIALS.has(this.code) || /expired/i.test(this.code);
  }

  get retryable(): boolean {
    return (
      this.status === 0 ||
      this.status === 429 ||
      this.status >= 500 ||
      /throttl/i.test(this.code) ||
      THROTTLED.has(this.code) ||
      this.credentialsRefused
    );
  }
}

const REFUSED_CREDENTIALS = new Set([
  "InvalidClientTokenId",
  "UnrecognizedClientException",
  "InvalidAccessKeyId",
  "AuthFailure",
  "InvalidIdentityToken",
]);

const THROTTLED = new Set([
  "RequestLimitExceeded",
  "TooManyRequestsException",
  "SlowDown",
  "LimitExceededException",
]);

/** The failure that a response other than 2xx stands for; its body may be anything. */
export function failureOf(status: number, errorTypeHeader: string | null, body: string): ServiceFailure {
  const document = parsed(body);
  const type = errorTypeHeader ?? stringIn(document, "__type") ?? `Http${status}Error`;
  const code = type.replace(/:.*$/, "").replace(/^.*#/, "");
  return new ServiceFailure(code, status, stringIn(document, "message", "Message") ?? "");
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function stringIn(document: unknown, ...keys: string[]): string | undefined {
  if (typeof document !== "object" || document === null) return undefined;
  const fields: Record<string, unknown> = { ...document };
  return keys.map((key) => fields[key]).find((value) => typeof value === "string");
}
