/**
 * The base credentials that the host is to have, proven by AssumeRole: given, there already, or those that the old
 * cron job uses.
 */
import { existsSync } from "node:fs";
import type { OperatorCredentials } from "../aws/operator.ts";
import type { CallerIdentity } from "../aws/sts.ts";
import { Failure } from "../failure.ts";
import { findUser, type User } from "../host/accounts.ts";
import { isInteractive } from "../host/terminal.ts";
import { type BaseMaterial, gatherBaseMaterial, renderKey } from "../registration/base-material.ts";
import { checkAssumeRole, oneIdentityNote, type World } from "../registration/identities.ts";
import type { StepOutcome } from "../report/progress.ts";
import type { CronJob } from "./cron-search.ts";
import { findOldBase } from "./old-base.ts";
import { proveIdentity } from "./same-identity.ts";

export interface ProvenBase {
  material: BaseMaterial;
  outcome: StepOutcome;
}

export interface BaseOptions {
  /** `--base-credentials`. */
  given: string | undefined;
  world: World;
  /** The cron jobs whose user's credentials count; empty for the kind that has none. */
  jobs: readonly CronJob[];
  /** Whether to look into users' ~/.aws at all. */
  isSession: boolean;
  operator: OperatorCredentials | null;
  caller: CallerIdentity | null;
  mayAsk: boolean;
}

/** @throws Failure `base_credentials_…`, `denied` … */
export async function proveBase(options: BaseOptions): Promise<ProvenBase> {
  const { given, world, isSession, operator, caller, mayAsk } = options;
  const { config, network, env } = world;
  const isPlain = given !== undefined || existsSync(config.baseCredentials.file);
  if (isPlain || !isSession) {
    const material = await gatherBaseMaterial({ given, config, operator, mayAsk });
    return { material, outcome: await checkAssumeRole(world, material, caller) };
  }
  const users = cronUsers(options.jobs);
  const texts = options.jobs.flatMap((job) => job.texts);
  const { candidates, looked } = await findOldBase(texts, users);
  if (candidates.length === 0) {
    if (!mayAsk || !isInteractive()) throw noneFound(looked);
    const material = await gatherBaseMaterial({ given, config, operator, mayAsk });
    return { material, outcome: await checkAssumeRole(world, material, caller) };
  }
  const { candidate, role } = await proveIdentity(candidates, config, network, env);
  const { identity, source } = candidate;
  const isOperators = operator?.identity.accessKeyId === identity.accessKeyId;
  const text = renderKey(config.baseCredentials.profile, identity);
  return {
    material: { text, identity, source, isOperators },
    outcome: {
      state: isOperators ? "note" : "ok",
      detail: `key ${identity.accessKeyId}, ${source}, gives ${role.session.sessionArn}: the same identity`,
      notes: isOperators ? [oneIdentityNote(config.roleArn)] : [],
    },
  };
}

/** Those of the jobs; root where there is none, for it is root's crontab as a rule. */
function cronUsers(jobs: readonly CronJob[]): User[] {
  const names = jobs.length === 0 ? ["root"] : [...new Set(jobs.map(({ entry }) => entry.user))];
  return names.map(findUser).filter((user) => user !== null);
}

function noneFound(looked: readonly string[]): Failure {
  return new Failure({
    kind: "base_credentials_missing",
    message: `the key that the old cron job calls AssumeRole with was not found${looked.length === 0 ? "" : ` (${looked.join("; ")})`}`,
    nextStep:
      "Name it: idc-helper adopt --base-credentials FILE (shared-credentials format, or what aws iam create-access-key prints), or - for standard input.",
  });
}
