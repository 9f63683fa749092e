/**
 * The log: one line an event, a stable event name, fields rather than prose.
 *
 * Callers pass fields by name; nothing that holds a secret is ever among them, and should one be, it is redacted
 * here by its name.
 */
import { type DestinationStream, pino } from "pino";
import type { LogFormat, LogLevel } from "../config/config.ts";

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
  env?: NodeJS.ProcessEnv;
  isTerminal?: boolean;
}

/** Ours, the SDK's and those of the credentials file. */
const SECRET_NAMES = [
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
];

export function createLog(options: LogOptions): Log {
  const { level, env = process.env, isTerminal = process.stderr.isTTY } = options;
  const write = options.write ?? ((line: string) => process.stderr.write(line));
  const format = options.format === "auto" ? (env.JOURNAL_STREAM ? "journal" : "human") : options.format;
  const destination: DestinationStream = {
    write: (json) => write(format === "json" ? json : render(JSON.parse(json), format, isTerminal)),
  };
  const logger = pino(
    {
      level,
      base: null,
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`]), censor: "***" },
    },
    destination,
  );
  const at =
    (name: LogLevel) =>
    (event: string, fields: Fields = {}) =>
      logger[name](fields, event);
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    setLevel: (to) => {
      logger.level = to;
    },
  };
}

interface Entry extends Fields {
  level: LogLevel;
  time: string;
  event: string;
}

/** sd-daemon(3): the prefix by which journald takes a line's priority. */
const PRIORITY: Record<LogLevel, string> = { debug: "<7>", info: "<6>", warn: "<4>", error: "<3>" };
const COLOUR: Record<LogLevel, number> = { debug: 90, info: 32, warn: 33, error: 31 };

function render(
  { level, time, event, ...fields }: Entry,
  format: "human" | "journal",
  isTerminal: boolean,
): string {
  const words = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quoted(value)}`],
  );
  if (format === "journal") return `${[PRIORITY[level] + event, ...words].join(" ")}\n`;
  const clock = new Date(time).toLocaleTimeString("en-GB", { hour12: false });
  const label = level.toUpperCase().padEnd(5);
  const head = isTerminal
    ? `\x1b[90m${clock}\x1b[0m \x1b[${COLOUR[level]}m${label}\x1b[0m`
    : `${clock} ${label}`;
  return `${[head, event.padEnd(22), ...words].join(" ").trimEnd()}\n`;
}

/** logfmt: a value with anything but plain characters stands in quotes, on one line. */
function quoted(value: Fields[string]): string {
  const text = String(value);
  if (/^[^\s"=\\\p{Cc}]+$/u.test(text)) return text;
  // JSON leaves these as they are: line separators, and controls that some terminals act on.
  return JSON.stringify(text).replace(/[\x7f-\x9f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
