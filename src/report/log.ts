/**
 * The log: one line an event, a stable event name, fields rather than prose.
 *
 * Callers pass fields by name; nothing that holds a secret is ever among them, and should one be, it is redacted
 * here by its name.
 */
import { fstatSync } from "node:fs";
import type { LogFormat, LogLevel } from "../config/config.ts";
import { type Journal, openJournal } from "../host/journal.ts";
import { journalFields, prefixedLine } from "./journal-entry.ts";
import { localTime } from "./local-time.ts";
import { logfmt } from "./logfmt.ts";

export type Fields = Record<string, string | number | boolean | null | undefined>;

export interface Log {
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
  setLevel(level: LogLevel): void;
}

export interface LogOptions {
  level: LogLevel;
  format: LogFormat;
  /** Where lines go; standard error unless a test says otherwise. */
  write?: (line: string) => void;
  /** For the format `journal`: without it, or where it is not to be had, lines go out with a prefix. */
  journal?: Journal | null;
  env?: NodeJS.ProcessEnv;
  isTerminal?: boolean;
}

export interface Entry extends Fields {
  level: LogLevel;
  time: string;
  event: string;
}

/** Least urgent first. */
const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Ours, the SDK's and those of the credentials file. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  "secretAccessKey",
  "SecretAccessKey",
  "secret_access_key",
  "aws_secret_access_key",
  "sessionToken",
  "SessionToken",
  "session_token",
  "aws_session_token",
  "password",
  "authorization",
  "Authorization",
]);

/** The log of a service: where it is the journal's, each line goes there with its fields. */
export async function openLog(options: LogOptions): Promise<Log> {
  const format = formatOf(options);
  return createLog({ ...options, format, journal: format === "journal" ? await openJournal() : null });
}

/** A line is out when the call returns: the process may end at any time. */
export function createLog(options: LogOptions): Log {
  const { level, journal = null, isTerminal = process.stderr.isTTY } = options;
  const write = options.write ?? ((line: string) => process.stderr.write(line));
  const format = formatOf(options);
  const tell = (entry: Entry) => {
    if (format === "json") write(jsonLine(entry));
    else if (format === "human") write(humanLine(entry, isTerminal));
    // Also where the socket is not reachable (a sandbox, a container), and for what is too long for a datagram.
    else if (journal === null || !journal.send(journalFields(entry))) write(prefixedLine(entry));
  };
  let threshold = LEVELS.indexOf(level);
  const at =
    (name: LogLevel) =>
    (event: string, fields: Fields = {}) => {
      if (LEVELS.indexOf(name) < threshold) return;
      tell({ ...told(fields), level: name, time: new Date().toISOString(), event });
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    setLevel: (to) => {
      threshold = LEVELS.indexOf(to);
    },
  };
}

/** What is there, without what is secret. */
function told(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, SECRET_NAMES.has(name) ? "***" : value]),
  );
}

function formatOf({ format, env = process.env }: LogOptions): Exclude<LogFormat, "auto"> {
  if (format !== "auto") return format;
  return isJournal(env) ? "journal" : "human";
}

/** systemd.exec(5): the variable names the stream, for it is also inherited by those whose standard error is another. */
function isJournal({ JOURNAL_STREAM }: NodeJS.ProcessEnv): boolean {
  if (!JOURNAL_STREAM) return false;
  try {
    const { dev, ino } = fstatSync(2, { bigint: true });
    return JOURNAL_STREAM === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

function jsonLine({ level, time, event, ...fields }: Entry): string {
  return `${JSON.stringify({ level, time, ...fields, event })}\n`;
}

const COLOUR: Record<LogLevel, number> = { debug: 90, info: 32, warn: 33, error: 31 };

function humanLine({ level, time, event, ...fields }: Entry, isTerminal: boolean): string {
  const clock = localTime(new Date(time));
  const label = level.toUpperCase().padEnd(5);
  const head = isTerminal
    ? `\x1b[90m${clock}\x1b[0m \x1b[${COLOUR[level]}m${label}\x1b[0m`
    : `${clock} ${label}`;
  return `${head} ${logfmt(event.padEnd(22), fields).trimEnd()}\n`;
}
