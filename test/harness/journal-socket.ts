/** journald's end of its native protocol: a datagram socket of the test's own, and the entries that came in. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DgramSocket } from "node-unix-socket";
import { eventually } from "./eventually.ts";
import { withOwnMounts } from "./identity.ts";

export type JournalEntry = Readonly<Record<string, string>>;

export interface JournalSocket {
  /** Put before a command, it finds this journal at its usual place; nothing is mounted outside. */
  prefix: readonly string[];
  /** Every entry so far, as it came. */
  entries(): readonly JournalEntry[];
  events(): string[];
  /** @returns the first entry of that event */
  waitFor(event: string): Promise<JournalEntry>;
  close(): void;
}

const COVER = `mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal &&
mount --bind "$1" /run/systemd/journal && shift && exec "$@"`;

/** @param directory a scratch directory, of which one below becomes /run/systemd/journal */
export function openJournalSocket(directory: string): JournalSocket {
  const place = join(directory, "journal");
  mkdirSync(place);
  const entries: JournalEntry[] = [];
  const socket = new DgramSocket();
  socket.on("data", (bytes: Buffer) => entries.push(decodeEntry(bytes)));
  socket.on("error", () => undefined);
  socket.bind(join(place, "socket"));
  return {
    prefix: coveredBy(place),
    entries: () => entries,
    events: () => entries.map(({ IDC_EVENT = "" }) => IDC_EVENT),
    waitFor: (event) =>
      eventually(
        () => entries.find(({ IDC_EVENT }) => IDC_EVENT === event),
        () => `no ${event} among:\n${entries.map(({ MESSAGE }) => MESSAGE).join("\n")}`,
      ),
    close: () => socket.close(),
  };
}

/** Put before a command, it finds no journal, whatever the host has. */
export function withoutJournal(directory: string): readonly string[] {
  const place = join(directory, "no-journal");
  mkdirSync(place);
  return coveredBy(place);
}

function coveredBy(place: string): readonly string[] {
  return [...withOwnMounts, "sh", "-c", COVER, "sh", place];
}

/** Read as the protocol's page has it, not as our writer does. */
export function decodeEntry(bytes: Buffer): JournalEntry {
  const fields: Record<string, string> = {};
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf("\n", at);
    if (newline === -1) throw new Error(`a field without an end: ${bytes.subarray(at)}`);
    const line = bytes.subarray(at, newline);
    const equals = line.indexOf("=");
    at = newline + 1;
    if (equals === -1) {
      const end = at + 8 + Number(bytes.readBigUInt64LE(at));
      fields[String(line)] = String(bytes.subarray(at + 8, end));
      if (bytes[end] !== 0x0a) throw new Error(`no newline after the value of ${line}`);
      at = end + 1;
    } else {
      fields[String(line.subarray(0, equals))] = String(line.subarray(equals + 1));
    }
  }
  return fields;
}
