/**
 * The role's whole ARN. A session ARN drops the role's path (FACTS), so the path comes from what an operator says, from
 * our own config, or from the script that assumes the role; else there is taken to be none, and AWS is asked. Pure.
 */
import { parseRoleArn, sessionArn } from "../aws/arn.ts";
import { Failure } from "../failure.ts";
import type { SessionSetup } from "./old-setup.ts";

export interface RoleGuess {
  roleArn: string;
  /** For a person. */
  source: string;
  /** Whether it is more than a guess that there is no path. */
  isKnown: boolean;
}

export interface RoleSources {
  /** `--role-arn`. */
  given: string | undefined;
  /** What an earlier run or a config that is there says. */
  present: string | null;
  /** Crontab lines and scripts. */
  texts: readonly string[];
}

const ANY_ROLE_ARN = /arn:aws(?:-[a-z]+)*:iam::\d{12}:role\/[\w+=,.@/-]+/g;

/** @throws Failure `conflict` where an operator names another role */
export function findRole(setup: SessionSetup, { given, present, texts }: RoleSources): RoleGuess {
  const isIts = (roleArn: string) => sessionArn(roleArn, setup.serial) === setup.sessionArn;
  if (given !== undefined) {
    if (isIts(given)) return { roleArn: given, source: "--role-arn", isKnown: true };
    throw otherRole(given, setup);
  }
  if (present !== null && isIts(present))
    return { roleArn: present, source: "the config that is here already", isKnown: true };
  const written = texts.flatMap((text) => text.match(ANY_ROLE_ARN) ?? []).find(isIts);
  if (written !== undefined) return { roleArn: written, source: "the cron job's script", isKnown: true };
  return {
    roleArn: withoutPath(setup),
    source: "the session ARN, taking it that the role has no path",
    isKnown: false,
  };
}

function withoutPath({ partition, account, roleName }: SessionSetup): string {
  return `arn:${partition}:iam::${account}:role/${roleName}`;
}

/** What a person may answer when asked for the ARN. @returns true, or what is wrong with it */
export function checkRoleArn(answer: string, setup: SessionSetup): true | string {
  if (parseRoleArn(answer) === null)
    return "That is not the ARN of a role: arn:aws:iam::123456789012:role/PATH/NAME";
  if (sessionArn(answer, setup.serial) === setup.sessionArn) return true;
  return `That is another role: this host's is ${setup.roleName} of account ${setup.account}`;
}

function otherRole(given: string, setup: SessionSetup): Failure {
  return new Failure({
    kind: "conflict",
    message: `--role-arn ${given} is not this host's role: the agent's config says ${setup.sessionArn}, a session of the role ${setup.roleName} of account ${setup.account}`,
    nextStep: `adopt keeps the identity that the host has. Give the ARN of that role, with its path (aws iam get-role --role-name ${setup.roleName}), or leave --role-arn out.`,
  });
}

export function deniedWithoutPath(setup: SessionSetup, denial: Failure): Failure {
  return new Failure({
    kind: denial.kind,
    message: `${denial.message}. Perhaps the role ${setup.roleName} has a path, which a session ARN does not tell`,
    nextStep: `Give the role's whole ARN: idc-helper adopt --role-arn arn:${setup.partition}:iam::${setup.account}:role/PATH/${setup.roleName} (aws iam get-role --role-name ${setup.roleName} shows it). If it has no path: ${lowerFirst(denial.nextStep)}`,
  });
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
