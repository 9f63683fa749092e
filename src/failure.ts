/**
 * What can go wrong, as a value: a kind for programs, a message for a person, and that person's next step.
 *
 * A failure must never carry a secret: its text reaches the journal, the status file and the terminal.
 */
import { constants } from "node:os";

/** What a refresh can fail with. The names are stable: operators alert on them. */
export const FAILURE_KINDS = [
  "unreachable",
  "timeout",
  "throttled",
  "server_error",
  "tls",
  "clock_off",
  "base_credentials_missing",
  "base_credentials_invalid",
  "base_credentials_expired",
  "denied",
  "role_or_duration_not_allowed",
  "bad_answer",
  "cannot_write",
  "config",
  "cloned_machine",
  "busy",
  "crashed",
] as const;

/** What the commands can fail with that an operator types. */
const OPERATOR_KINDS = [
  "usage",
  "host_not_ready",
  "operator_credentials_missing",
  "operator_credentials_invalid",
  "operator_credentials_expired",
  "conflict",
  "not_registered",
  "invalid_request",
  "limit_exceeded",
  "interrupted",
] as const;

export type FailureKind = (typeof FAILURE_KINDS)[number] | (typeof OPERATOR_KINDS)[number];

/** Kinds that no amount of retrying mends: a person has to change something first. */
const NEEDS_A_PERSON: ReadonlySet<FailureKind> = new Set([
  "base_credentials_missing",
  "base_credentials_invalid",
  "base_credentials_expired",
  "denied",
  "role_or_duration_not_allowed",
  "config",
  "cloned_machine",
]);

export function needsAPerson(kind: FailureKind): boolean {
  return NEEDS_A_PERSON.has(kind);
}

export interface FailureReport {
  kind: FailureKind;
  message: string;
  nextStep: string;
  /** How long the server asked us to stay away (Retry-After), in milliseconds; absent when it did not ask. */
  retryAfterMs?: number;
}

/** Thrown by everything that can fail in a way we foresee; anything else is a bug. */
export class Failure extends Error implements FailureReport {
  readonly kind: FailureKind;
  readonly nextStep: string;
  readonly retryAfterMs?: number;

  constructor(report: FailureReport, options?: ErrorOptions) {
    super(printable(report.message), options);
    this.name = "Failure";
    this.kind = report.kind;
    this.nextStep = printable(report.nextStep);
    if (report.retryAfterMs !== undefined) this.retryAfterMs = report.retryAfterMs;
  }

  report(): FailureReport {
    const { kind, message, nextStep, retryAfterMs } = this;
    return { kind, message, nextStep, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
}

/**
 * A text that may repeat what somebody else wrote (a file's key, an answer, the environment) must not steer the terminal
 * that it is shown on: neither by control characters, nor by those that turn text round unseen.
 */
export function printable(text: string): string {
  return text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\u2028\u2029]/gu, "?");
}

/** The system error code (`ENOENT`, `EACCES` …) of a thrown value, or null where it has none. */
export function errorCode(error: unknown): string | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  if (typeof error.code !== "string") return null;
  return nameUnnamed(error.code);
}

export function errorText(error: unknown): string {
  return nameUnnamed(error instanceof Error ? error.message : String(error));
}

/** libuv has no name for some of the kernel's errors, EDQUOT among them: `Unknown system error -122`, twice in a text. */
function nameUnnamed(text: string): string {
  return text.replace(/(Unknown system error -(\d+))(?:: \1)?/, (unnamed, _once: string, number: string) => {
    const [name] = Object.entries(constants.errno).find(([, errno]) => errno === Number(number)) ?? [];
    return name ?? unnamed;
  });
}
