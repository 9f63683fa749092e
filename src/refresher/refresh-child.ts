/** One `idc-helper refresh` as a child, and what its one JSON line says. */
import type { Config } from "../config/config.ts";
import { FAILURE_KINDS, type FailureReport } from "../failure.ts";
import { scaledLimit } from "../host/service-environment.ts";
import { type ChildResult, startChild } from "./child.ts";
import type { Issued, RefreshWarning } from "./issue.ts";

const REFRESH_LIMIT_MS = 60_000;
/** src/service-commands.ts understands them in exactly these words; in others they would be right, too, and slower. */
export const REFRESH_WORDS = ["refresh", "--json", "--resolved-config"] as const;

export type RefreshOutcome = ({ result: "issued" } & Issued) | ({ result: "failed" } & FailureReport);

export interface RefreshChild {
  outcome: Promise<RefreshOutcome>;
  kill(): void;
}

export function startRefresh(config: Config, factor: number, env: NodeJS.ProcessEnv): RefreshChild {
  const limitMs = scaledLimit(REFRESH_LIMIT_MS, factor);
  const child = startChild({
    args: REFRESH_WORDS,
    input: JSON.stringify(config),
    limitMs,
    env,
  });
  return { outcome: child.result.then((result) => interpret(result, limitMs)), kill: child.kill };
}

export function interpret(
  { exitCode, signal, output, errors, wasTooSlow }: ChildResult,
  limitMs: number,
): RefreshOutcome {
  if (wasTooSlow) {
    return {
      result: "failed",
      kind: "timeout",
      message: `the refresh did not end within ${Math.round(limitMs / 1_000)} s and was ended`,
      nextStep: "It is tried again. If it lasts: does a credential_process or the name service hang?",
    };
  }
  const outcome = parseOutcome(output);
  if (outcome !== null) return outcome;
  const how = signal === null ? `with status ${exitCode ?? "unknown"}` : `by ${signal}`;
  const lastWords = errors.trim().split("\n").at(-1)?.slice(0, 200) ?? "";
  return {
    result: "failed",
    kind: "crashed",
    message: `the refresh process ended ${how} and without an answer${lastWords === "" ? "" : `: ${lastWords}`}`,
    nextStep: "It is tried again. If it lasts, run idc-helper refresh by hand and report what it prints.",
  };
}

function parseOutcome(output: string): RefreshOutcome | null {
  try {
    const value: unknown = JSON.parse(output.trim().split("\n").at(-1) ?? "");
    if (typeof value !== "object" || value === null) return null;
    const outcome = value as Partial<RefreshOutcome>;
    return isIssued(outcome) || isFailed(outcome) ? outcome : null;
  } catch {
    return null;
  }
}

function isIssued(value: Partial<RefreshOutcome>): value is Extract<RefreshOutcome, { result: "issued" }> {
  if (value.result !== "issued") return false;
  const { expiresAt, warnings } = value;
  const isWarning = (each: RefreshWarning | null) =>
    [each?.code, each?.message, each?.nextStep].every((field) => typeof field === "string");
  return typeof expiresAt === "string" && Array.isArray(warnings) && warnings.every(isWarning);
}

function isFailed(value: Partial<RefreshOutcome>): value is Extract<RefreshOutcome, { result: "failed" }> {
  if (value.result !== "failed" || !FAILURE_KINDS.some((kind) => kind === value.kind)) return false;
  const { message, nextStep, retryAfterMs = 0 } = value;
  return typeof message === "string" && typeof nextStep === "string" && Number.isFinite(retryAfterMs);
}
