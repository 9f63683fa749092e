/**
 * Crontabs as text: which line starts which command when and as whom, and a line taken out of force.
 *
 * Pure. Nothing here reads or runs anything; what is not understood is no entry, and is left as it is.
 */

/** A system crontab (/etc/crontab, /etc/cron.d) names the user on each line; a user's own does not. */
export type CrontabFormat = { kind: "system" } | { kind: "user"; user: string };

export interface CronEntry {
  /** Counts from 1. */
  line: number;
  schedule: string;
  user: string;
  /** As cron hands it to the shell: from the first unescaped `%` on it would be input, and is left out. */
  command: string;
  /** What the lines above set for it (crontab(5)). */
  env: ReadonlyMap<string, string>;
}

/** Cron itself stops reading a line after 1,000 bytes or so; more entries than this are no crontab. */
const MAX_ENTRIES = 2_000;
/** Each entry keeps those above it: any user may have written this file, and root reads it. */
const MAX_SETTINGS = 100;

const ASSIGNMENT = /^\s*(?:(["'])(.*?)\1|([A-Za-z_]\w*))\s*=\s*(.*)$/;
/** Five fields of times, or a word such as @daily; cronie and Debian's cron also take a leading `-` (no logging). */
const ENTRY = /^\s*-?(@[a-z]+|(?:[\d*,/~A-Za-z-]+\s+){4}[\d*,/~A-Za-z-]+)\s+(\S.*)$/;

export function parseCrontab(text: string, format: CrontabFormat): CronEntry[] {
  let env: ReadonlyMap<string, string> = new Map();
  const entries: CronEntry[] = [];
  for (const [index, content] of text.split("\n").entries()) {
    // Of an editor on Windows; a command with a comment at its end works all the same.
    const line = content.replace(/\r$/, "");
    if (/^\s*(?:#|$)/.test(line)) continue;
    const assignment = ASSIGNMENT.exec(line);
    if (assignment !== null) {
      const [, , quotedName, plainName, value = ""] = assignment;
      if (env.size < MAX_SETTINGS)
        env = new Map([...env, [quotedName ?? plainName ?? "", unquoted(value.trim())]]);
      continue;
    }
    const entry = parseEntry(line, format);
    if (entry !== null && entries.length < MAX_ENTRIES) entries.push({ line: index + 1, ...entry, env });
  }
  return entries;
}

function parseEntry(
  line: string,
  format: CrontabFormat,
): Pick<CronEntry, "schedule" | "user" | "command"> | null {
  const [, times = "", rest = ""] = ENTRY.exec(line) ?? [];
  if (rest === "") return null;
  const schedule = times.replace(/\s+/g, " ");
  if (format.kind === "user") return { schedule, user: format.user, command: withoutInput(rest) };
  const [, user = "", command = ""] = /^(\S+)\s+(\S.*)$/.exec(rest) ?? [];
  return command === "" ? null : { schedule, user, command: withoutInput(command) };
}

function withoutInput(command: string): string {
  return command
    .replace(/(?<!\\)%.*$/, "")
    .replaceAll("\\%", "%")
    .trim();
}

function unquoted(value: string): string {
  return /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value;
}

/** What our note begins with, behind the date. */
const NOTE = "disabled by idc-helper adopt: ";

/**
 * Comments one line out, with a note above it that says when, by whom and why. Every other byte stays.
 *
 * @param content the line as it must be, so that a crontab that was edited meanwhile is never mangled
 * @returns null where no such line is in force
 */
export function disableLine(text: string, content: string, why: string, now: Date): string | null {
  const lines = text.split("\n");
  const index = lines.indexOf(content);
  if (index === -1) return null;
  const note = `# ${now.toISOString().slice(0, 10)} ${NOTE}${why}`;
  return [...lines.slice(0, index), note, `#${content}`, ...lines.slice(index + 1)].join("\n");
}

/** Undoes {@link disableLine}. @returns null where the line is not there commented out below a note of ours */
export function enableLine(text: string, content: string): string | null {
  const lines = text.split("\n");
  const index = lines.findIndex((line, at) => {
    return line === `#${content}` && at > 0 && lines[at - 1]?.includes(` ${NOTE}`) === true;
  });
  if (index === -1) return null;
  return [...lines.slice(0, index - 1), content, ...lines.slice(index + 1)].join("\n");
}

/** Whether that very line is in force. */
export function hasLine(text: string, content: string): boolean {
  return text.split("\n").includes(content);
}
