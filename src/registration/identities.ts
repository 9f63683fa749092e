/**
 * The two identities, kept apart: the operator's, which may register and tag and is never stored, and the host's
 * base identity, which may assume one role.
 */
import { parseRoleArn, sessionArn } from "../aws/arn.ts";
import { type BaseCredentials, loadBaseCredentials } from "../aws/base-credentials.ts";
import { type Connection, serviceEndpoint } from "../aws/client.ts";
import type { Network } from "../aws/network.ts";
import type { OperatorCredentials } from "../aws/operator.ts";
import {
  assumeRole,
  type CallerIdentity,
  DURATION_EVERY_ROLE_ALLOWS_MS,
  getCallerIdentity,
} from "../aws/sts.ts";
import type { Config } from "../config/config.ts";
import { Failure } from "../failure.ts";
import type { StepOutcome } from "../report/progress.ts";
import type { BaseMaterial } from "./base-material.ts";

export interface World {
  config: Config;
  network: Network;
  env: NodeJS.ProcessEnv;
}

export function operatorConnection(
  service: "sts" | "codedeploy",
  { config, network, env }: World,
  { identity, source }: OperatorCredentials,
): Connection {
  const endpoint = serviceEndpoint(service, config, env);
  return { region: config.region, identity, caller: { identity: "operator", source }, network, endpoint };
}

/** @throws Failure where the operator is nobody, or of another account than the role */
export async function whoAmI(world: World, operator: OperatorCredentials): Promise<CallerIdentity> {
  const caller = await getCallerIdentity(operatorConnection("sts", world, operator));
  const role = parseRoleArn(world.config.roleArn);
  if (role !== null && caller.account !== role.account) {
    throw new Failure({
      kind: "operator_credentials_invalid",
      message: `the operator (${caller.arn}, ${operator.source}) is of account ${caller.account}, but the role ${world.config.roleArn} is of ${role.account}`,
      nextStep: "Log in to the role's account, choose its profile with --profile, or correct --role-arn.",
    });
  }
  return caller;
}

/** Says to use two identities where one has both powers. */
export function oneIdentityNote(roleArn: string): string {
  return `The host's base credentials are the operator's own: whoever takes them from this host may register and deregister hosts. Give the host a key that may only assume ${roleArn}; idc-helper iam prints its policy.`;
}

/** AssumeRole works with these base credentials, and gives the session that AWS is to know this host by. */
export async function checkAssumeRole(
  world: World,
  material: BaseMaterial,
  operator: CallerIdentity | null,
): Promise<StepOutcome> {
  const { config, network, env } = world;
  const base = await baseCredentials(config, material, network);
  const endpoint = serviceEndpoint("sts", config, env);
  const durationMs = Math.min(config.sessionDurationMs, DURATION_EVERY_ROLE_ALLOWS_MS);
  const { session } = await assumeRole({ config, base, network, durationMs, endpoint });
  const caller = await getCallerIdentity({
    region: config.region,
    identity: base.identity,
    caller: { identity: "base", source: base.source },
    network,
    endpoint,
  });
  const isSame = material.isOperators || caller.arn === operator?.arn;
  return {
    state: isSame ? "note" : "ok",
    detail: `${caller.arn} may assume the role; session ${session.sessionArn}`,
    notes: isSame ? [oneIdentityNote(config.roleArn)] : [],
  };
}

async function baseCredentials(
  config: Config,
  { identity, source }: BaseMaterial,
  { requestHandler }: Network,
): Promise<BaseCredentials> {
  if (identity !== null) return { identity, source };
  // A profile with a credential_process, read from where it lies now.
  const baseCredentials = { ...config.baseCredentials, file: source, isDefault: false };
  return loadBaseCredentials({ ...config, baseCredentials }, requestHandler);
}

/** @throws Error for a role ARN that is none, which the config has refused before */
export function expectedSessionArn({ roleArn, serial }: Pick<Config, "roleArn" | "serial">): string {
  const arn = sessionArn(roleArn, serial);
  if (arn === null) throw new Error("a validated role ARN does not parse");
  return arn;
}
