/** The two ARNs that matter: the role that we assume, and the session that comes of it. */
const ROLE_ARN = /^arn:(aws(?:-[a-z]+)*):iam::(\d{12}):role\/((?:[\x21-\x7e]+\/)?)([\w+=,.@-]{1,64})$/;

export interface RoleArn {
  partition: string;
  account: string;
  /** With its slashes, or empty; no part of a session ARN. */
  path: string;
  name: string;
}

export function parseRoleArn(text: string): RoleArn | null {
  const match = ROLE_ARN.exec(text);
  if (!match || text.length > 2_048) return null;
  const [, partition = "", account = "", path = "", name = ""] = match;
  return { partition, account, path, name };
}

/**
 * What AssumeRole answers for a role and session name: the role's path is dropped (FACTS).
 *
 * @returns null when the role ARN is none
 */
export function sessionArn(roleArn: string, sessionName: string): string | null {
  const role = parseRoleArn(roleArn);
  return role && `arn:${role.partition}:sts::${role.account}:assumed-role/${role.name}/${sessionName}`;
}

/** The partition that a region belongs to, by its prefix; null for prefixes that we do not know. */
export function partitionOf(region: string): string | null {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  return /^(?:us|eu|ap|sa|ca|me|af|il|mx)-(?!iso)/.test(region) ? "aws" : null;
}
