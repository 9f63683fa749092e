/**
 * Whether a principal may do something: a plain list of allowed actions, and the ARNs that a role trusts. This
 * is the one module to replace when policy documents are evaluated. Unlike AWS, AssumeRole within the account
 * always needs both the caller's grant and the role's trust; AWS lets a trust policy that names the user
 * stand alone.
 */
import { AwsError } from "../aws-error.ts";
import type { Principal, Role } from "./principals.ts";

export interface Permission {
  readonly action: string;
  readonly resource: string;
}

export function isAllowed(principal: Principal, permission: Permission): boolean {
  return principal.grants.some(
    ({ action, resource }) => matches(action, permission.action) && matches(resource, permission.resource),
  );
}

export function isTrusted(principal: Principal, role: Role, account: string): boolean {
  const names = [principal.arn, `arn:aws:iam::${account}:root`];
  if (principal.kind === "session") names.push(principal.roleArn);
  return role.trusts.some((trusted) => names.includes(trusted));
}

/** The refusal in AWS's words; a role that does not exist is refused in the same ones. */
export function accessDenied(principal: Principal, { action, resource }: Permission): AwsError {
  return new AwsError(
    "AccessDenied",
    `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource}`,
  );
}

function matches(pattern: string, value: string): boolean {
  const source = pattern
    .split("*")
    .map((literal) => literal.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${source}$`, "s").test(value);
}
