/**
 * The credentials file's text: one profile replaced, every other byte kept.
 *
 * Written by hand because `ini.stringify` quotes every value with a `=` in it, as most session tokens have, and
 * neither the Ruby SDK nor botocore strips quotes: every call of the agent would fail (FACTS).
 */
import type { SessionCredentials } from "./session.ts";

/**
 * As the Ruby SDK and botocore find a section: at the line's start, up to the first bracket. To the Ruby SDK
 * `[profile default]` is the profile `default`, too, whose values a later one would override.
 *
 * Without a pattern: on a long line of spaces its parts could share them out in endless ways.
 */
export function headerName(line: string): string | null {
  const end = line.indexOf("]");
  if (!line.startsWith("[") || end === -1) return null;
  const name = line.slice(1, end).trim();
  if (name === "" || /[[\n]/.test(name)) return null;
  return name.replace(/^profile\s+/, "");
}

/**
 * @param existing the file's present text; empty when there is none
 * @returns the text with exactly one section for the profile, in the place of its first one
 */
export function renderProfile(existing: string, profile: string, credentials: SessionCredentials): string {
  const sections = splitSections(existing);
  const own = renderSection(profile, credentials);
  const first = sections.findIndex(({ name }) => name === profile);
  if (first === -1)
    return existing === "" || existing.endsWith("\n") ? existing + own : `${existing}\n${own}`;
  return sections
    .map(({ name, text }, index) => {
      if (name !== profile) return text;
      return index === first ? own + trailingBlank(text) : "";
    })
    .join("");
}

/** @returns the text without any section of the profile */
export function withoutProfile(existing: string, profile: string): string {
  return splitSections(existing)
    .filter(({ name }) => name !== profile)
    .map(({ text }) => text)
    .join("");
}

function renderSection(
  profile: string,
  { accessKeyId, secretAccessKey, sessionToken }: SessionCredentials,
): string {
  return [
    `[${profile}]`,
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
    `aws_session_token = ${sessionToken}`,
    "",
  ].join("\n");
}

interface Section {
  /** Null for what stands before the first header. */
  name: string | null;
  text: string;
}

function splitSections(text: string): Section[] {
  const sections: Section[] = [{ name: null, text: "" }];
  for (const line of text.split(/(?<=\n)/)) {
    const name = headerName(line);
    if (name !== null) sections.push({ name, text: line });
    else {
      const current = sections.at(-1);
      if (current) current.text += line;
    }
  }
  return sections;
}

/** The blank and comment lines that end a section belong to what follows it as much as to what is replaced. */
function trailingBlank(text: string): string {
  const lines = text.split(/(?<=\n)/);
  const lastValue = lines.findLastIndex((line) => !/^(?:[#;]|$)/.test(line.trim()));
  return lines.slice(lastValue + 1).join("");
}
