/** The condition operators and keys that are evaluated; every other is refused when a document is put in. */
import type { RequestContext } from "./patterns.ts";
import { equalsLiterally, matchesArn, matchesPattern } from "./patterns.ts";

type Comparison = (wanted: string, found: string, context: RequestContext) => boolean;

interface Operator {
  readonly compare: Comparison;
  /** A negated operator holds where none of the values matches, and where the key is not there at all. */
  readonly negated: boolean;
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: { compare: equalsLiterally, negated: false },
  StringNotEquals: { compare: equalsLiterally, negated: true },
  StringLike: { compare: matchesPattern, negated: false },
  StringNotLike: { compare: matchesPattern, negated: true },
  // AWS treats the two alike, wildcards included.
  ArnEquals: { compare: matchesArn, negated: false },
  ArnLike: { compare: matchesArn, negated: false },
};

const KEYS = [
  /^sts:RoleSessionName$/i,
  /^sts:SourceIdentity$/i,
  /^aws:SourceArn$/i,
  /^aws:PrincipalArn$/i,
  /^aws:PrincipalTag\/.+$/i,
  /^aws:RequestedRegion$/i,
];

export function isConditionOperator(name: string): boolean {
  return name === "Null" || Object.hasOwn(OPERATORS, name);
}

export function isConditionKey(key: string): boolean {
  return KEYS.some((known) => known.test(key));
}

export type Conditions = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** All operators and all keys must hold; of a key's values, any one. */
export function conditionsHold(conditions: Conditions, context: RequestContext): boolean {
  return Object.entries(conditions).every(([name, keys]) =>
    Object.entries(keys).every(([key, values]) =>
      holds(name, context.get(key.toLowerCase()), values, context),
    ),
  );
}

function holds(
  name: string,
  found: string | undefined,
  wanted: readonly string[],
  context: RequestContext,
): boolean {
  if (name === "Null") return wanted.includes(String(found === undefined));
  const operator = OPERATORS[name];
  if (operator === undefined) throw new Error(`unknown condition operator: ${name}`);
  if (found === undefined) return operator.negated;
  return wanted.some((value) => operator.compare(value, found, context)) !== operator.negated;
}
