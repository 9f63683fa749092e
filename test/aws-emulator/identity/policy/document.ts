/**
 * Policy documents as they are put into the account. What the evaluator does not know (an element, a condition
 * operator, a condition key) is refused here and now: a typo must never grant or refuse anything in silence.
 */
import { z } from "zod";
import { isConditionKey, isConditionOperator } from "./conditions.ts";

/** Policies write one value as itself and several as a list; we keep lists. */
function listOf(each: z.ZodString) {
  return z.union([each.transform((only) => [only]), z.array(each)]).readonly();
}

function oneOrMore(each: z.ZodString) {
  return listOf(each).refine(({ length }) => length > 0, "an empty list");
}

const text = z.string().min(1);

const action = z
  .string()
  .regex(/^(\*|[a-z0-9-]+:[A-Za-z*?]+)$/, "an action is SERVICE:NAME, with * and ? in the name");

const condition = z
  .record(z.string(), z.record(z.string(), oneOrMore(text)))
  .superRefine((operators, context) => {
    for (const [operator, keys] of Object.entries(operators)) {
      if (!isConditionOperator(operator))
        context.addIssue({ code: "custom", message: `unknown condition operator: ${operator}` });
      for (const key of Object.keys(keys))
        if (!isConditionKey(key))
          context.addIssue({ code: "custom", message: `unknown condition key: ${key}` });
    }
  })
  .readonly();

/** AWS knows no wildcard inside a principal's ARN. */
const awsPrincipal = z
  .string()
  .regex(
    /^(\*|\d{12}|arn:[a-z-]+:(iam::\d{12}:(root|(user|role)\/[^*?]+)|sts::\d{12}:assumed-role\/[^*?]+))$/,
    "not a principal",
  );

const principal = z
  .strictObject({
    AWS: listOf(awsPrincipal).default([]),
    Service: listOf(z.string()).default([]),
  })
  .refine(({ AWS, Service }) => AWS.length + Service.length > 0, "names nobody");

const statement = {
  Sid: z
    .string()
    .regex(/^[A-Za-z0-9]*$/, "a Sid has letters and digits only")
    .optional(),
  Effect: z.enum(["Allow", "Deny"]),
  Action: oneOrMore(action),
  Condition: condition.optional(),
};

function documentOf<T extends z.ZodType>(statementSchema: T) {
  return z.strictObject({
    // Under 2008-10-17, and without a version, policy variables are plain text.
    Version: z.literal("2012-10-17"),
    Statement: z
      .union([z.array(statementSchema).min(1), statementSchema.transform((only) => [only])])
      .readonly(),
  });
}

/** What a user or a role may do. */
export const permissionPolicySchema = documentOf(z.strictObject({ ...statement, Resource: oneOrMore(text) }));
/** Who may assume a role. */
export const trustPolicySchema = documentOf(z.strictObject({ ...statement, Principal: principal }));

export type PermissionPolicyInput = z.input<typeof permissionPolicySchema>;
export type PermissionPolicy = z.output<typeof permissionPolicySchema>;
export type TrustPolicyInput = z.input<typeof trustPolicySchema>;
export type TrustPolicy = z.output<typeof trustPolicySchema>;

/** For tests that care for actions only. */
export function allow(
  actionNames: string | string[],
  resource: string | string[] = "*",
): PermissionPolicyInput {
  return {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: actionNames, Resource: resource }],
  };
}

/** For tests that care only for who may assume a role. */
export function trust(...principalArns: string[]): TrustPolicyInput {
  return {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS: principalArns }, Action: ["sts:*"] }],
  };
}
