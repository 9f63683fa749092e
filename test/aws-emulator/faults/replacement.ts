/** The answers that faults put in place of the real one. */
import { AwsError } from "../aws-error.ts";
import type { Authentication } from "../identity/authentication.ts";
import type { Answer, Protocol } from "../protocols/protocol.ts";
import type { Fault, ReplacingKind, ServiceName } from "./fault.ts";

export interface FaultyExchange {
  readonly service: ServiceName;
  readonly action: string;
  readonly protocol: Protocol;
  readonly authentication: Authentication;
  readonly requestId: string;
  readonly account: string;
}

export interface Replacement {
  readonly answer: Answer;
  /** Null where the answer has no error code that a client could read. */
  readonly errorCode: string | null;
}

export function replacementFor(
  fault: Fault & { kind: ReplacingKind },
  exchange: FaultyExchange,
): Replacement {
  const error = errorFor(fault, exchange);
  if (error === null) return { answer: rawAnswer(fault), errorCode: null };
  const { protocol, requestId } = exchange;
  return { answer: protocol.encodeError(error, requestId), errorCode: protocol.errorCode(error) };
}

function errorFor(fault: Fault & { kind: ReplacingKind }, exchange: FaultyExchange): AwsError | null {
  const { service, action, authentication, account } = exchange;
  switch (fault.kind) {
    case "throttle":
      return new AwsError("Throttling", "Rate exceeded", retryAfter(fault));
    case "request-limit-exceeded":
      return new AwsError("RequestLimitExceeded", "Request limit exceeded.", retryAfter(fault));
    case "error-500":
      return new AwsError(
        "InternalFailure",
        "The request processing has failed because of an unknown error.",
      );
    case "deny": {
      const user = authentication.principal?.arn ?? `arn:aws:iam::${account}:root`;
      return new AwsError("AccessDenied", `User: ${user} is not authorized to perform: ${service}:${action}`);
    }
    case "region-disabled":
      return new AwsError(
        "RegionDisabledException",
        `STS is not activated in this region for account:${account}. Your account administrator can activate ` +
          "STS in this region using the IAM Console.",
      );
    case "exception":
      return new AwsError(fault.code, fault.message);
    default:
      return null;
  }
}

function rawAnswer(fault: Fault): Answer {
  switch (fault.kind) {
    case "error-503-html":
      return {
        status: 503,
        headers: { "content-type": "text/html", ...retryAfter(fault) },
        body: "<html><head><title>503 Service Unavailable</title></head><body><h1>503</h1></body></html>\n",
      };
    case "error-503-empty":
      return { status: 503, headers: retryAfter(fault), body: "" };
    case "redirect":
      return { status: 302, headers: { location: fault.location }, body: "" };
    case "huge-body":
      return { status: 200, headers: { "content-type": "text/xml" }, body: "" };
    default:
      return {
        status: 200,
        headers: { "content-type": "text/plain" },
        body: "\u0000\u0001 %% nonsense <{[ \ufffd\n",
      };
  }
}

function retryAfter({ retryAfterSeconds }: Fault): Record<string, string> {
  return retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
}
