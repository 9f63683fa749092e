/** One event as the journal keeps it: fields to search by, and a line to read. */
import type { LogLevel } from "../config/config.ts";
import type { JournalField } from "../host/journal.ts";
import type { Entry, Fields } from "./log.ts";
import { logfmt } from "./logfmt.ts";
import { MESSAGE_IDS } from "./message-ids.ts";

/** syslog(3), as sd-daemon(3) and the field PRIORITY have it. */
const PRIORITY: Record<LogLevel, number> = { debug: 7, info: 6, warn: 4, error: 3 };

/** What systemd calls us on lines from standard error, and how syslog sorts these. */
const IDENTIFIER = "idc-helper";
const FACILITY_DAEMON = "3";

/**
 * In characters. journald breaks a line of more than 48 kB (LineMax=) in two, the second without its priority, and a
 * datagram has an end too; nothing of ours is as long, but a server's answer that is quoted in an error may be.
 */
const LONGEST_VALUE = 8 * 1_024;

/** Field names that say more among all the journal's than among ours. */
const RENAMED: Readonly<Record<string, string>> = { kind: "FAILURE_KIND" };

export function journalFields({ level, time: _, event, ...fields }: Entry): JournalField[] {
  const short = shortened(fields);
  const id = MESSAGE_IDS[event];
  return [
    ["MESSAGE", logfmt(event, short)],
    ["PRIORITY", String(PRIORITY[level])],
    ["SYSLOG_IDENTIFIER", IDENTIFIER],
    ["SYSLOG_FACILITY", FACILITY_DAEMON],
    ...(id === undefined ? [] : [["MESSAGE_ID", id] as const]),
    ["IDC_EVENT", event],
    ...Object.entries(short).map(([name, value]) => [fieldName(name), String(value)] as const),
  ];
}

/** The same as a line on standard error, of which journald takes the priority. */
export function prefixedLine({ level, time: _, event, ...fields }: Entry): string {
  return `<${PRIORITY[level]}>${logfmt(event, shortened(fields))}\n`;
}

function fieldName(name: string): string {
  return `IDC_${(RENAMED[name] ?? name).toUpperCase().replace(/[^A-Z0-9_]/g, "_")}`;
}

function shortened(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? cut(value) : value]),
  );
}

function cut(text: string): string {
  if (text.length <= LONGEST_VALUE) return text;
  return `${text.slice(0, LONGEST_VALUE)}… (${text.length - LONGEST_VALUE} characters more)`;
}
