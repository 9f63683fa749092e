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
  const ownText = own + trailingBlank(sections[first]?.text ?? "");
  return joined(sections, profile, (index) => (index === first ? ownText : ""));
}

/** @returns the text without any section of the profile */
export function withoutProfile(existing: string, profile: string): string {
  return joined(splitSections(existing), profile, () => "");
}

/**
 * What follows a section of ours below a header that only some readers take for one would be read as ours by the others:
 * its header is written plainly. Everywhere else it stays as it is.
 */
function joined(sections: readonly Section[], profile: string, own: (index: number) => string): string {
  let isBelowOurs = false;
  return sections
    .map(({ name, text, isPlain }, index) => {
      if (name === profile) {
        isBelowOurs = true;
        return own(index);
      }
      isBelowOurs &&= !isPlain;
      return isBelowOurs ? `[${name}]\n${text.slice(text.indexOf("\n") + 1 || text.length)}` : text;
    })
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
  /** Whether every reader sees its header. */
  isPlain: boolean;
}

/** A header is what any reader takes for one: to the Ruby SDK it is no more than its line, to Python it may be indented. */
function splitSections(text: string): Section[] {
  const sections: Section[] = [{ name: null, text: "", isPlain: true }];
  // Python: what is indented deeper than the value above it belongs to that value.
  let valueIndent = Number.POSITIVE_INFINITY;
  for (const line of text.split(/(?<=\n)/)) {
    const bare = line.trim();
    const indent = line.length - line.trimStart().length;
    const name = indent > valueIndent ? null : headerName(line.trimStart());
    if (name !== null) {
      sections.push({ name, text: line, isPlain: indent === 0 && isPlainHeader(line) });
      valueIndent = Number.POSITIVE_INFINITY;
      continue;
    }
    const current = sections.at(-1);
    if (current) current.text += line;
    if (indent <= valueIndent && bare !== "" && !/^[#;]/.test(bare)) valueIndent = indent;
  }
  return sections;
}

/**
 * As the Ruby SDK has it: behind the bracket stands nothing, or a comment; one with a semicolon ends the line before. To it,
 * white space beyond ASCII is text.
 */
function isPlainHeader(line: string): boolean {
  const end = line.indexOf("]");
  const rest = line.slice(end + 1);
  const isBare = /^[ \t-\r]*$/.test(rest) || /^[ \t-\r]*#.|^[ \t-\r];/.test(rest);
  return isBare && !/[ \t-\r];/.test(line.slice(0, end));
}

/** The blank and comment lines that end a section belong to what follows it as much as to what is replaced. */
function trailingBlank(text: string): string {
  const lines = text.split(/(?<=\n)/);
  const lastValue = lines.findLastIndex((line) => !/^(?:[#;]|$)/.test(line.trim()));
  return lines.slice(lastValue + 1).join("");
}
