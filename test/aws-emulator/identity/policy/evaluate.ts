/** What policy documents say of one request: an explicit deny beats every allow, and silence is a refusal. */
import { conditionsHold } from "./conditions.ts";
import type { PermissionPolicy, TrustPolicy } from "./document.ts";
import type { RequestContext } from "./patterns.ts";
import { matchesPattern } from "./patterns.ts";

export type Decision = "allowed" | "denied" | "not mentioned";

export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  readonly context: RequestContext;
}

/** Whoever asks to assume a role: the ARNs it goes by, or the name of an AWS service. */
export interface Caller {
  readonly arns: readonly string[];
  readonly service: string | null;
}

export function decide(policies: readonly PermissionPolicy[], request: AccessRequest): Decision {
  const statements = policies.flatMap(({ Statement }) => Statement);
  return verdict(
    statements.filter(
      (statement) =>
        applies(statement, request) &&
        statement.Resource.some((pattern) => matchesPattern(pattern, request.resource, request.context)),
    ),
  );
}

export function decideTrust(
  { Statement }: TrustPolicy,
  caller: Caller,
  request: Omit<AccessRequest, "resource">,
): Decision {
  return verdict(
    Statement.filter((statement) => applies(statement, request) && names(statement.Principal, caller)),
  );
}

type AnyStatement = PermissionPolicy["Statement"][number] | TrustPolicy["Statement"][number];

/** Names of actions are not case-sensitive. */
function applies(
  { Action, Condition = {} }: AnyStatement,
  { action, context }: Omit<AccessRequest, "resource">,
): boolean {
  return (
    Action.some((pattern) => matchesPattern(pattern.toLowerCase(), action.toLowerCase(), context)) &&
    conditionsHold(Condition, context)
  );
}

function names({ AWS, Service }: TrustPolicy["Statement"][number]["Principal"], caller: Caller): boolean {
  if (caller.service !== null) return Service.includes(caller.service);
  return AWS.includes("*") || AWS.some((arn) => caller.arns.includes(arn));
}

function verdict(statements: readonly AnyStatement[]): Decision {
  if (statements.some(({ Effect }) => Effect === "Deny")) return "denied";
  return statements.length > 0 ? "allowed" : "not mentioned";
}
