/** The journal's native protocol, on real datagram sockets: no line is lost, whatever journald does. */
import { DgramSocket } from "node-unix-socket";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeEntry, openJournal } from "../../../src/host/journal.ts";
import { createLog, type Fields } from "../../../src/report/log.ts";
import { eventually } from "../../harness/eventually.ts";
import { decodeEntry, type JournalEntry } from "../../harness/journal-socket.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();
let socket: DgramSocket;
let entries: JournalEntry[];
let lines: string[];
beforeEach(() => {
  entries = [];
  lines = [];
  socket = new DgramSocket();
  socket.on("data", (bytes: Buffer) => entries.push(decodeEntry(bytes)));
  socket.bind(scratch("socket"));
});
afterEach(() => socket.close());

async function openLog(address = scratch("socket")) {
  const journal = await openJournal(address);
  return createLog({ level: "debug", format: "journal", journal, write: (line) => lines.push(line) });
}

async function entryOf(fields: Fields): Promise<JournalEntry> {
  (await openLog()).warn("refresh_failed", fields);
  return eventually(
    () => entries[0],
    () => `nothing came; on standard error: ${lines}`,
  );
}

describe("an entry", () => {
  test("is the datagram that systemd's page shows", () => {
    const bytes = encodeEntry([
      ["A", "b=c"],
      ["D", "e\nf"],
      ["G", ""],
    ]);
    expect(String(bytes)).toBe("A=b=c\nD\n\x03\0\0\0\0\0\0\0e\nf\nG=\n");
  });

  test("counts the bytes of a value of several lines, not its characters", () => {
    expect(decodeEntry(encodeEntry([["A", "시리얼\n😀"]]))).toEqual({ A: "시리얼\n😀" });
  });

  test("has each field under its own name, to be searched by", async () => {
    expect(
      await entryOf({ kind: "denied", failures: 3, of: null, gone: undefined, "odd-näme": "x" }),
    ).toEqual({
      MESSAGE: "refresh_failed kind=denied failures=3 of=null odd-näme=x",
      PRIORITY: "4",
      SYSLOG_IDENTIFIER: "idc-helper",
      SYSLOG_FACILITY: "3",
      MESSAGE_ID: expect.stringMatching(/^[0-9a-f]{32}$/),
      IDC_EVENT: "refresh_failed",
      IDC_FAILURE_KIND: "denied",
      IDC_FAILURES: "3",
      IDC_OF: "null",
      IDC_ODD_N_ME: "x",
    });
  });

  test("cannot be forged through a value", async () => {
    const value = "x\nPRIORITY=0\nMESSAGE=forged";
    const entry = await entryOf({ message: value });
    expect(entry).toMatchObject({ PRIORITY: "4", IDC_MESSAGE: value });
    expect(entry.MESSAGE).toBe(`refresh_failed message=${JSON.stringify(value)}`);
  });

  test("of a value that is far too long keeps its beginning, and says how much is gone", async () => {
    const { IDC_MESSAGE = "" } = await entryOf({ message: "x".repeat(100_000) });
    expect(IDC_MESSAGE.length).toBeLessThan(10_000);
    expect(IDC_MESSAGE).toMatch(/^x+… \(91808 characters more\)$/);
  });
});

describe("no line is lost", () => {
  const eventsOf = () => lines.map((line) => Number(/ n=(\d+)/.exec(line)?.[1]));

  test("where nobody listens: standard error gets it, with its priority", async () => {
    const log = await openLog(scratch("nobody"));
    log.error("config_rejected", { n: 1 });
    log.info("started", { n: 2 });
    expect(lines).toEqual(["<3>config_rejected n=1\n", "<6>started n=2\n"]);
  });

  test("where the journal's socket has gone and comes back", async () => {
    const log = await openLog(scratch("later"));
    log.info("started", { n: 1 });
    const later = new DgramSocket();
    later.on("data", (bytes: Buffer) => entries.push(decodeEntry(bytes)));
    later.bind(scratch("later"));
    log.info("started", { n: 2 });
    await eventually(
      () => entries.length > 0,
      () => "nothing came",
    );
    later.close();
    expect(eventsOf()).toEqual([1]);
    expect(entries.map(({ IDC_N }) => IDC_N)).toEqual(["2"]);
  });

  test("that is too large for a datagram even so", async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}`, "x".repeat(8_000)]));
    (await openLog()).warn("refresh_failed", { ...many, n: 7 });
    expect(eventsOf()).toEqual([7]);
    expect(lines[0]).toMatch(/^<4>refresh_failed /);
    expect(entries).toEqual([]);
  });

  test("while journald hangs with a full queue, and the order of both ways is kept", async () => {
    const log = await openLog();
    // This process does not read while it writes, and a queue holds 10 to 512 datagrams.
    const count = 1_500;
    for (let n = 0; n < count; n += 1) log.info("started", { n });
    const late = eventsOf();
    await eventually(
      () => entries.length + late.length === count,
      () => `${entries.length} came, and ${late.length} went to standard error`,
    );
    expect(late.length).toBeGreaterThan(0);
    expect([...entries.map(({ IDC_N }) => Number(IDC_N)), ...late]).toEqual(
      Array.from({ length: count }, (_, n) => n),
    );
  });
});
