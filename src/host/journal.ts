/**
 * journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): an entry is one datagram of fields.
 *
 * An entry lies with journald when `send` returns, or it says no and the caller has to find another way: nothing waits
 * in here, so that a process may end at any time. What does not fit into a datagram would have to be passed as a
 * memfd, which neither Node nor the addon can do.
 */
import { type Datagrams, openDatagrams, QUEUE_FULL } from "./datagram.ts";

export const JOURNAL_SOCKET = "/run/systemd/journal/socket";

/** Name and value. A name is of `A-Z0-9_`, as the journal wants it; a value is anything. */
export type JournalField = readonly [name: string, value: string];

export interface Journal {
  /** @returns whether journald has it */
  send(fields: readonly JournalField[]): boolean;
}

/** A journald that is busy takes what lies in its queue within that; one that hangs is not waited for again. */
const PATIENCE_MS = 200;
const LOOK_EVERY_MS = 10;

/** @returns null where there are no datagrams: the addon's file is missing, or may not be loaded */
export async function openJournal(address = JOURNAL_SOCKET): Promise<Journal | null> {
  let datagrams: Datagrams;
  try {
    datagrams = await openDatagrams();
  } catch {
    return null;
  }
  let isPatient = true;
  const send = (fields: readonly JournalField[]) => {
    const entry = encodeEntry(fields);
    let why = datagrams.sendNow(address, entry);
    for (
      let waitedMs = 0;
      why === QUEUE_FULL && isPatient && waitedMs < PATIENCE_MS;
      waitedMs += LOOK_EVERY_MS
    ) {
      pause(LOOK_EVERY_MS);
      why = datagrams.sendNow(address, entry);
    }
    isPatient = why !== QUEUE_FULL;
    return why === null;
  };
  return { send };
}

/** Stands still, so that no later line overtakes this one. */
function pause(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}

/** `NAME=value`, or with a newline in the value: the name, the value's length as 64 bits, little-endian, and the value. */
export function encodeEntry(fields: readonly JournalField[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => {
      if (!value.includes("\n")) return [Buffer.from(`${name}=${value}\n`)];
      const bytes = Buffer.from(value);
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(bytes.length));
      return [Buffer.from(`${name}\n`), length, bytes, Buffer.from("\n")];
    }),
  );
}
