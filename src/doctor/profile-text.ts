/**
 * A profile of a credentials file, with its values as the agent's SDK takes them: quotes are part of the value, and
 * ` ;` starts a comment (FACTS, "The INI file"). Values never leave this module but by their key's name.
 */

/** @returns null where there is no such profile */
export function findProfile(text: string, profile: string): ReadonlyMap<string, string> | null {
  let values: Map<string, string> | null = null;
  let isInside = false;
  for (const line of text.split("\n")) {
    const header = /^\[\s*(?:profile\s+)?([^[\]]+?)\s*\]/.exec(line)?.[1];
    if (header !== undefined) {
      isInside = header === profile;
      if (isInside) values ??= new Map();
      continue;
    }
    const match = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
    if (isInside && match !== null) values?.set(match[1] ?? "", match[2] ?? "");
  }
  return values;
}

/** @returns the keys whose values no real credential has */
export function oddValues(values: ReadonlyMap<string, string>): string[] {
  return [...values].filter(([, value]) => /["'`;\s]/.test(value)).map(([key]) => key);
}
