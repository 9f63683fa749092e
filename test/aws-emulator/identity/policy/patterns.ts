/**
 * The wildcards and variables of policy strings: `*` is any run of characters, `?` any one, `${key}` what the
 * request's context holds, taken literally.
 */

/** Condition keys and their values in one request; keys in lower case, for AWS does not tell cases apart. */
export type RequestContext = ReadonlyMap<string, string>;

const TOKEN = /\$\{([^}]*)\}|\*|\?/g;

/** A variable without a value in the context matches nothing. */
export function matchesPattern(pattern: string, value: string, context: RequestContext): boolean {
  return compile(pattern, context, "wildcards")?.test(value) ?? false;
}

/** As above, with `*` and `?` as plain characters. */
export function equalsLiterally(pattern: string, value: string, context: RequestContext): boolean {
  return compile(pattern, context, "plain")?.test(value) ?? false;
}

/** ARNs match part by part: no wildcard reaches over a colon before the resource part. */
export function matchesArn(pattern: string, value: string, context: RequestContext): boolean {
  const patterns = arnParts(pattern);
  const values = arnParts(value);
  return (
    patterns.length === values.length &&
    patterns.every((part, index) => matchesPattern(part, values[index] ?? "", context))
  );
}

function arnParts(arn: string): string[] {
  const parts = arn.split(":");
  return [...parts.slice(0, 5), parts.slice(5).join(":")];
}

function compile(pattern: string, context: RequestContext, mode: "wildcards" | "plain"): RegExp | null {
  let source = "";
  let end = 0;
  for (const match of pattern.matchAll(TOKEN)) {
    const [token, variable] = match;
    source += RegExp.escape(pattern.slice(end, match.index));
    end = match.index + token.length;
    if (variable === undefined) {
      if (mode === "plain") source += RegExp.escape(token);
      else source += token === "*" ? ".*" : ".";
      continue;
    }
    const value = ["*", "?", "$"].includes(variable) ? variable : context.get(variable.toLowerCase());
    if (value === undefined) return null;
    source += RegExp.escape(value);
  }
  return new RegExp(`^${source}${RegExp.escape(pattern.slice(end))}$`, "s");
}
