/** docs/events.md as a table, to be held against what the program does. */
import { readFileSync } from "node:fs";
import type { JournalEntry } from "./journal-socket.ts";

export interface DocumentedEvent {
  levels: string[];
  /** Fields that are always there. */
  always: string[];
  sometimes: string[];
}

const PAGE = new URL("../../docs/events.md", import.meta.url);
const ROW = /^\| `(\w+)` \| ((?:debug|info|warn|error)(?:, \w+)*) \| (.*?) \| (.+) \|$/gm;

export function documentedEvents(): Map<string, DocumentedEvent> {
  const rows = readFileSync(PAGE, "utf8").matchAll(ROW);
  return new Map(
    [...rows].map(([, event = "", levels = "", fields = ""]) => {
      const names = [...fields.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
      const always = names.filter((name) => !name.endsWith("?"));
      const sometimes = names.filter((name) => name.endsWith("?")).map((name) => name.slice(0, -1));
      return [event, { levels: levels.split(", "), always, sometimes }];
    }),
  );
}

export function journalFieldOf(name: string): string {
  return `IDC_${(name === "kind" ? "failure_kind" : name).toUpperCase()}`;
}

/** Where an entry and its description differ, in words; empty when they agree. */
export function disagreements(
  entry: JournalEntry,
  documented: ReadonlyMap<string, DocumentedEvent>,
): string[] {
  const event = entry.IDC_EVENT ?? "";
  const described = documented.get(event);
  if (described === undefined) return [`${event} is not described`];
  const always = described.always.map(journalFieldOf);
  const known = new Set([...always, ...described.sometimes.map(journalFieldOf), "IDC_EVENT"]);
  const found = Object.keys(entry).filter((name) => name.startsWith("IDC_"));
  return [
    ...always.filter((name) => !found.includes(name)).map((name) => `${event} has no ${name}`),
    ...found.filter((name) => !known.has(name)).map((name) => `${event}: ${name} is not described`),
  ];
}
