/** Runs checks side by side, each within a time limit; whatever one throws is a finding, too. */
import { errorText, Failure } from "../failure.ts";
import type { Examination } from "./examination.ts";
import { type Finding, left, Unmet, unseen } from "./finding.ts";

export const GROUPS = [
  "Configuration",
  "Service",
  "Network",
  "Base credentials",
  "Credentials file",
  "Agent",
  "Registration",
  "Host",
] as const;

export type Group = (typeof GROUPS)[number];

export interface Check {
  /** Stable, for programs: `agent.config`. */
  id: string;
  title: string;
  run(examination: Examination): Promise<Finding>;
}

export interface CheckGroup {
  group: Group;
  checks: readonly Check[];
}

export interface CheckResult extends Finding {
  id: string;
  group: Group;
  title: string;
}

/** Every part of a check has a bound of its own; this one is for what nobody thought of. */
export const CHECK_LIMIT_MS = 75_000;

/** @returns the results in the order of the checks */
export async function runChecks(
  groups: readonly CheckGroup[],
  examination: Examination,
  limitMs = CHECK_LIMIT_MS,
): Promise<CheckResult[]> {
  const running = groups.flatMap(({ group, checks }) =>
    checks.map(async (check): Promise<CheckResult> => {
      const { id, title } = check;
      return { id, group, title, ...(await runOne(check, examination, limitMs)) };
    }),
  );
  return Promise.all(running);
}

async function runOne(check: Check, examination: Examination, limitMs: number): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    const seconds = Math.round(limitMs / 1_000);
    timer = setTimeout(() => resolve(unseen(`the check did not end within ${seconds} s`, {})), limitMs);
  });
  try {
    return await Promise.race([check.run(examination), late]);
  } catch (error) {
    if (error instanceof Unmet) return left(`not checked: ${error.message}`);
    if (error instanceof Failure) return unseen(error.message, { advice: error.nextStep });
    return unseen(`the check itself failed: ${errorText(error)}`, { advice: "Please report this." });
  } finally {
    clearTimeout(timer);
  }
}
