/**
 * Turns what an AWS call threw into one of our kinds, once, where the SDK's error arrives. Nothing downstream
 * looks at an SDK error again.
 */
import { errorCode, errorText, Failure } from "../failure.ts";
import { AnswerTooLargeError } from "./network.ts";
import { tlsReason } from "./tls-reasons.ts";
import { BY_CODE, type CallContext, clockOff, passes, throttled, type Verdict } from "./verdicts.ts";

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

function judgeTransport(error: unknown, { where, action, secrets }: CallContext): Verdict | null {
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
    const { why, nextStep } = tlsReason(code, oneLine(errorText(error), secrets));
    return {
      kind: "tls",
      message: `the TLS connection to ${where} is not trusted: ${why} (${code})`,
      nextStep,
    };
  }
  if (code !== null && UNREACHABLE.has(code)) {
    return {
      kind: "unreachable",
      message: `${where} cannot be reached (${code}${code === "ERR_PROXY_TUNNEL" ? `: ${oneLine(errorText(error), secrets)}` : ""})`,
      nextStep: "Check DNS, the firewall for outbound 443, and the proxy settings.",
    };
  }
  return null;
}

/** What the SDK made of an answer, which may not have been AWS's: a field is of any type. */
interface ServiceError {
  name?: unknown;
  Code?: unknown;
  message?: unknown;
  $metadata?: { httpStatusCode?: number };
  $response?: { statusCode?: number; headers?: Record<string, string | undefined> };
}

function judgeAnswer(error: unknown, context: CallContext): Verdict {
  const service: ServiceError = typeof error === "object" && error !== null ? error : {};
  const text = oneLine(typeof service.message === "string" ? service.message : "", context.secrets);
  const code = String(service.Code ?? service.name ?? "");
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
      nextStep: `${passes(context, "Nothing to do: it is tried again.")} If it lasts, see health.aws.amazon.com.`,
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

/** Session tokens have hundreds of these in a row; only in an ARN, a role's path may be as long. */
const LIKE_A_TOKEN = /(?<!arn:aws[\w-]*:\S*)[A-Za-z0-9+/]{100,}={0,2}/g;

/**
 * AWS's own texts are one line; what stands in its place may be a whole page. Either may quote the request: a refused
 * signature the canonical string, which has the token in it, and a proxy's page all headers.
 */
function oneLine(text: string, secrets: readonly string[] = []): string {
  let line = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
  for (const secret of secrets.filter(Boolean)) line = line.replaceAll(secret, "***");
  line = line.replace(LIKE_A_TOKEN, "***");
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
