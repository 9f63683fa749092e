/**
 * Whether a principal may do something, by the policy documents of the account. Unlike AWS, AssumeRole within
 * the account always needs both the caller's policy and the role's trust; AWS lets a trust policy that names the
 * user stand alone.
 */
import { AwsError } from "../aws-error.ts";
import type { Directory } from "./directory.ts";
import type { Caller } from "./policy/evaluate.ts";
import { decide, decideTrust } from "./policy/evaluate.ts";
import type { RequestContext } from "./policy/patterns.ts";
import type { Principal, Role } from "./principals.ts";

export interface Permission {
  readonly action: string;
  readonly resource: string;
}

/** Condition keys that only this request has, such as `sts:RoleSessionName`. */
export type RequestKeys = Readonly<Record<string, string>>;

export function isAllowed(
  directory: Directory,
  principal: Principal,
  { action, resource }: Permission,
  keys: RequestKeys = {},
): boolean {
  const context = contextOf(principal, keys);
  return decide(directory.policiesOf(principal), { action, resource, context }) === "allowed";
}

export function isTrusted(
  directory: Directory,
  principal: Principal,
  role: Role,
  action: string,
  keys: RequestKeys = {},
): boolean {
  const context = contextOf(principal, keys);
  return decideTrust(role.trustPolicy, callerOf(directory, principal), { action, context }) === "allowed";
}

/** The refusal in AWS's words; a role that does not exist is refused in the same ones. */
export function accessDenied(principal: Principal, { action, resource }: Permission): AwsError {
  return new AwsError(
    "AccessDenied",
    `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource}`,
  );
}

function callerOf({ account }: Directory, principal: Principal): Caller {
  const arns = [principal.arn, `arn:aws:iam::${account}:root`, account];
  if (principal.kind === "session") arns.push(principal.roleArn);
  return { arns, service: null };
}

function contextOf(principal: Principal, keys: RequestKeys): RequestContext {
  const tags = principal.kind === "session" ? Object.entries(principal.tags) : [];
  const principalArn = principal.kind === "session" ? principal.roleArn : principal.arn;
  return requestContext({
    ...Object.fromEntries(tags.map(([key, value]) => [`aws:PrincipalTag/${key}`, value])),
    "aws:PrincipalArn": principalArn,
    ...keys,
  });
}

export function requestContext(keys: RequestKeys): RequestContext {
  return new Map(Object.entries(keys).map(([key, value]) => [key.toLowerCase(), value]));
}
