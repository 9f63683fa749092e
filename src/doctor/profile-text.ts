/**
 * A profile of a credentials file, with its values as the agent's SDK takes them: quotes are part of the value, and
 * ` ;` starts a comment (FACTS, "The INI file"). Values never leave this module but by their key's name.
 */
import { headerName } from "../credentials/profile-file.ts";

/** @returns null where there is no such profile */
export function findProfile(text: string, profile: string): ReadonlyMap<string, string> | null {
  let values: Map<string, string> | null = null;
  let isInside = false;
  for (const line of text.split("\n")) {
    const header = headerName(line);
    if (header !== null) {
      isInside = header === profile;
      if (isInside) values ??= new Map();
      continue;
    }
    const at = line.indexOf("=");
    const key = line.slice(0, Math.max(at, 0)).trim();
    if (isInside && key !== "" && !/^[#;]/.test(key)) values?.set(key, line.slice(at + 1).trim());
  }
  return values;
}

/** @returns the keys whose values no real credential has */
export function oddValues(values: ReadonlyMap<string, string>): string[] {
  return [...values].filter(([, value]) => /["'`;\s]/.test(value)).map(([key]) => key);
}
