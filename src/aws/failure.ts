/**
 * Turns what an AWS call threw into one of our kinds, once, where the SDK's error arrives. Nothing downstream
 * looks at an SDK error again.
 *
 * Codes: STS API reference, "Common errors"; FACTS, "AWS".
 */
import { errorCode, errorText, Failure, type FailureKind } from "../failure.ts";
import { AnswerTooLargeError } from "./network.ts";

export interface CallContext {
  /** What was called, for messages: `AssumeRole`. */
  action: string;
  /** Host, with the proxy if any. */
  where: string;
  /** Whose credentials signed it, and where those came from. */
  caller: Caller;
  /** What it was called on, for messages: a role's ARN, an instance name. */
  resource: string;
  /** The server's clock minus ours in milliseconds, where an answer told it. */
  skewMs: number | null;
}

export interface Caller {
  /** `base`: what AssumeRole is called with; `operator`: a person's; `session`: what the agent uses. */
  identity: "base" | "operator" | "session";
  source: string;
}

const CALLER_NAMES: Record<Caller["identity"], string> = {
  base: "base credentials",
  operator: "operator's credentials",
  session: "session credentials",
};

export function describeCaller({ identity, source }: Caller): string {
  return `the ${CALLER_NAMES[identity]} (${source})`;
}

interface Verdict {
  kind: FailureKind;
  message: string;
  nextStep: string;
}

type Judge = (context: CallContext, text: string) => Verdict;

const credentialsInvalid: Judge = ({ caller }, text) => ({
  kind: caller.identity === "operator" ? "operator_credentials_invalid" : "base_credentials_invalid",
  message: `AWS does not accept ${describeCaller(caller)}: ${text}`,
  nextStep:
    caller.identity === "operator"
      ? "Check them with: aws sts get-caller-identity; or choose others with --profile."
      : "Check that the key is active in IAM and was copied whole; then replace it.",
});

const credentialsExpired: Judge = ({ caller }, text) => ({
  kind: caller.identity === "operator" ? "operator_credentials_expired" : "base_credentials_expired",
  message: `${describeCaller(caller)} have expired: ${text}`,
  nextStep:
    caller.identity === "operator"
      ? "Log in again (aws sso login, or fetch new temporary credentials) and run the command once more."
      : "Renew them, or see why what renews them (credential_process, SSO) no longer does.",
});

const clockOff: Judge = ({ skewMs }, text) => ({
  kind: "clock_off",
  message: `this host's clock is off${skewMs === null ? "" : ` by about ${Math.round(Math.abs(skewMs) / 1_000)} s (${skewMs > 0 ? "behind" : "ahead of"} AWS)`}: ${text}`,
  nextStep: "Set the clock and keep it set: chronyc tracking, or timedatectl.",
});

const denied: Judge = ({ resource, action, caller }, text) => ({
  kind: "denied",
  message: `AWS denies ${action} on ${resource}: ${text}`,
  nextStep:
    caller.identity === "operator"
      ? `Let the operator call codedeploy:${action}; idc-helper iam prints the whole policy.`
      : "Let the base identity call sts:AssumeRole on this role, and name the identity in the role's trust policy.",
});

const regionDisabled: Judge = (_, text) => ({
  kind: "denied",
  message: `STS is not active in this region for the account: ${text}`,
  nextStep: "Activate it under IAM, account settings, or use another region.",
});

const notAllowed: Judge = ({ resource }, text) => ({
  kind: "role_or_duration_not_allowed",
  message: `STS refuses what was asked of ${resource}: ${text}`,
  nextStep: "Correct role_arn, serial or session_duration in the configuration.",
});

const throttled: Judge = ({ action }, text) => ({
  kind: "throttled",
  message: `AWS throttles ${action}: ${text}`,
  nextStep:
    "Nothing to do: it is tried again, later each time. If many hosts see it, spread them with splay: auto.",
});

const conflict: Judge = (_, text) => ({ kind: "conflict", message: text, nextStep: "" });

const notRegistered: Judge = ({ resource }, text) => ({
  kind: "not_registered",
  message: `${resource} is not registered with CodeDeploy: ${text}`,
  nextStep: "Register it: idc-helper register",
});

const invalidRequest: Judge = ({ action, resource }, text) => ({
  kind: "invalid_request",
  message: `CodeDeploy refuses ${action} on ${resource}: ${text}`,
  nextStep: "Correct the serial, the role or the tags that were given.",
});

const limitExceeded: Judge = ({ action, resource }, text) => ({
  kind: "limit_exceeded",
  message: `CodeDeploy refuses ${action} on ${resource}: ${text}`,
  nextStep: "An on-premises instance has at most 10 tags: remove some, or give fewer.",
});

const BY_CODE: ReadonlyMap<string, Judge> = new Map(
  Object.entries({
    AccessDenied: denied,
    AccessDeniedException: denied,
    NotAuthorized: denied,
    OptInRequired: denied,
    RegionDisabledException: regionDisabled,
    RegionDisabled: regionDisabled,
    InvalidClientTokenId: credentialsInvalid,
    UnrecognizedClientException: credentialsInvalid,
    IncompleteSignature: credentialsInvalid,
    MissingAuthenticationToken: credentialsInvalid,
    SignatureDoesNotMatch: credentialsInvalid,
    InvalidSignatureException: credentialsInvalid,
    ExpiredToken: credentialsExpired,
    ExpiredTokenException: credentialsExpired,
    RequestExpired: clockOff,
    RequestTimeTooSkewed: clockOff,
    ValidationError: notAllowed,
    ValidationException: notAllowed,
    Throttling: throttled,
    ThrottlingException: throttled,
    ThrottledException: throttled,
    RequestLimitExceeded: throttled,
    RequestThrottled: throttled,
    TooManyRequestsException: throttled,
    SlowDown: throttled,
    // CodeDeploy, of the calls on on-premises instances (its service model).
    InstanceNameAlreadyRegisteredException: conflict,
    IamSessionArnAlreadyRegisteredException: conflict,
    IamUserArnAlreadyRegisteredException: conflict,
    InstanceNotRegisteredException: notRegistered,
    InstanceNameRequiredException: invalidRequest,
    InvalidInstanceNameException: invalidRequest,
    IamArnRequiredException: invalidRequest,
    IamUserArnRequiredException: invalidRequest,
    InvalidIamSessionArnException: invalidRequest,
    InvalidIamUserArnException: invalidRequest,
    MultipleIamArnsProvidedException: invalidRequest,
    InvalidTagException: invalidRequest,
    TagRequiredException: invalidRequest,
    TagLimitExceededException: limitExceeded,
    InstanceLimitExceededException: limitExceeded,
  }),
);

const UNREACHABLE = new Set([
  ..."ECONNREFUSED ECONNRESET EHOSTUNREACH ENETUNREACH ENETDOWN EHOSTDOWN EPIPE ENOTFOUND EAI_AGAIN".split(
    " ",
  ),
  ..."EAI_FAIL ECONNABORTED EADDRNOTAVAIL EACCES EPERM ERR_PROXY_TUNNEL".split(" "),
]);

/** OpenSSL's verification codes, as Node names them, and its own. */
const TLS_CODE =
  /^(?:CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO_SELF|ERR_TLS|ERR_SSL|ERR_OSSL|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;

export function classifyAwsError(error: unknown, context: CallContext): Failure {
  if (error instanceof Failure) return error;
  const verdict = judgeTransport(error, context) ?? judgeAnswer(error, context);
  const retryAfterMs = retryAfter(error);
  return new Failure({ ...verdict, ...(retryAfterMs === null ? {} : { retryAfterMs }) }, { cause: error });
}

function judgeTransport(error: unknown, { where, action }: CallContext): Verdict | null {
  const code = errorCode(error) ?? (error instanceof AggregateError ? errorCode(error.errors[0]) : null);
  const name = error instanceof Error ? error.name : "";
  if (
    code === "ETIMEDOUT" ||
    code === "ESOCKETTIMEDOUT" ||
    // The SDK gives a connection that was reset the name of a timeout, too; its code tells.
    ((name === "TimeoutError" || name === "AbortError") && !(code !== null && UNREACHABLE.has(code)))
  ) {
    return {
      kind: "timeout",
      message: `${where} did not answer ${action} in time`,
      nextStep: "Check the network, and network.connect_timeout and request_timeout if it is merely slow.",
    };
  }
  if (code !== null && TLS_CODE.test(code)) {
    return {
      kind: "tls",
      message: `the TLS connection to ${where} is not trusted: ${oneLine(errorText(error))} (${code})`,
      nextStep:
        "If a proxy inspects TLS, add its CA with update-ca-trust or network.ca_bundle; check the clock if a certificate is expired or not yet valid.",
    };
  }
  if (code !== null && UNREACHABLE.has(code)) {
    return {
      kind: "unreachable",
      message: `${where} cannot be reached (${code}${code === "ERR_PROXY_TUNNEL" ? `: ${oneLine(errorText(error))}` : ""})`,
      nextStep: "Check DNS, the firewall for outbound 443, and the proxy settings.",
    };
  }
  return null;
}

interface ServiceError {
  name?: string;
  Code?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number };
  $response?: { statusCode?: number; headers?: Record<string, string | undefined> };
}

function judgeAnswer(error: unknown, context: CallContext): Verdict {
  const service: ServiceError = typeof error === "object" && error !== null ? error : {};
  const text = oneLine(service.message ?? "");
  const code = service.Code ?? service.name ?? "";
  if (code === "SignatureDoesNotMatch" && /signature expired|not yet current/i.test(text))
    return clockOff(context, text);
  const judge = BY_CODE.get(code);
  if (judge) return judge(context, text);
  const status = service.$metadata?.httpStatusCode ?? service.$response?.statusCode ?? 0;
  if (status === 429) return throttled(context, `HTTP ${status}`);
  if (status >= 500) {
    return {
      kind: "server_error",
      message: `${context.where} answered ${context.action} with HTTP ${status}`,
      nextStep: "Nothing to do: it is tried again. If it lasts, see health.aws.amazon.com.",
    };
  }
  const reason =
    error instanceof AnswerTooLargeError
      ? error.message
      : status >= 300
        ? `HTTP ${status}`
        : "it could not be parsed";
  return {
    kind: "bad_answer",
    message: `what ${context.where} answered to ${context.action} is not an answer of AWS (${reason})`,
    nextStep: "See what answers in its place: a proxy's login or block page, or a wrong endpoint.",
  };
}

/** The Retry-After header, in seconds or as a date. */
function retryAfter(error: unknown): number | null {
  const service: ServiceError = typeof error === "object" && error !== null ? error : {};
  const value = service.$response?.headers?.["retry-after"];
  if (value === undefined) return null;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1_000;
  return Number.isFinite(seconds) && seconds > 0 ? Math.round(seconds * 1_000) : null;
}

/** AWS's own texts are one line; what stands in its place may be a whole page. */
function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
