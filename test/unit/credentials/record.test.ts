/** What must be known of the last refresh after a restart, a reboot and a step of the clock. */
import { mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  addWrite,
  expiresBootMs,
  halfLifeBootMs,
  inspectFile,
  type RefreshRecord,
  readRecord,
  sha256,
  type Write,
  writeRecord,
} from "../../../src/credentials/record.ts";
import type { Instant } from "../../../src/host/clock.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ISSUED_MS = Date.parse("2026-11-22T10:00:00Z");

const RECORD: RefreshRecord = {
  sha256: sha256("text"),
  sessionArn: "arn:aws:sts::123456789012:assumed-role/Role/SN-1",
  profile: "default",
  group: null,
  issuedAt: new Date(ISSUED_MS).toISOString(),
  expiresAt: new Date(ISSUED_MS + HOUR_MS).toISOString(),
  bootId: "boot-1",
  issuedBootMs: 5 * HOUR_MS,
  expiresBootMs: 6 * HOUR_MS,
  writes: [{ atBootMs: 5 * HOUR_MS, previousExpiresBootMs: null }],
  refusedDuration: null,
};
const at = (wallMs: number, bootMs: number): Instant => ({ wallMs, bootMs, awakeMs: bootMs });

describe("when the credentials expire, on this boot's clock", () => {
  test.each([
    [
      "in the same boot, as recorded",
      at(ISSUED_MS + MINUTE_MS, 5 * HOUR_MS + MINUTE_MS),
      "boot-1",
      6 * HOUR_MS,
    ],
    [
      "in the same boot, the clock nine hours back",
      at(ISSUED_MS - 9 * HOUR_MS, 5.5 * HOUR_MS),
      "boot-1",
      6 * HOUR_MS,
    ],
    [
      "in the same boot, the clock nine hours back",
      at(ISSUED_MS - 9 * HOUR_MS, 5.5 * HOUR_MS),
      "boot-1",
      6 * HOUR_MS,
    ],
    ["after a reboot of ten minutes", at(ISSUED_MS + 10 * MINUTE_MS, MINUTE_MS), "boot-2", 51 * MINUTE_MS],
    ["after a reboot of two hours", at(ISSUED_MS + 2 * HOUR_MS, MINUTE_MS), "boot-2", -59 * MINUTE_MS],
  ])("%s", (_, now, bootId, expected) => {
    expect(expiresBootMs(RECORD, now, bootId)).toBe(expected);
    const isOfThisBoot = bootId === RECORD.bootId;
    expect(halfLifeBootMs(RECORD, now, bootId)).toBe(
      isOfThisBoot ? expected - HOUR_MS / 2 : Number.NEGATIVE_INFINITY,
    );
  });
});

describe("the writes that the agent may not have picked up", () => {
  const write = (atBootMs: number): Write => ({ atBootMs, previousExpiresBootMs: atBootMs + HOUR_MS });

  test("are kept over a restart of the service, oldest first", () => {
    const before = { ...RECORD, writes: [write(5 * HOUR_MS)] };
    expect(addWrite(before, write(5.5 * HOUR_MS), "boot-1")).toEqual([
      write(5 * HOUR_MS),
      write(5.5 * HOUR_MS),
    ]);
  });

  test("begin anew with a boot, whose agent is new, too", () => {
    expect(addWrite(RECORD, write(MINUTE_MS), "boot-2")).toEqual([write(MINUTE_MS)]);
    expect(addWrite(null, write(MINUTE_MS), "boot-1")).toEqual([write(MINUTE_MS)]);
  });

  test("are forgotten after four hours, and are never more than 64", () => {
    const before = { ...RECORD, writes: [write(0), write(HOUR_MS)] };
    expect(addWrite(before, write(4 * HOUR_MS), "boot-1")).toEqual([write(HOUR_MS), write(4 * HOUR_MS)]);
    const many = { ...RECORD, writes: Array.from({ length: 500 }, (_, index) => write(index)) };
    const kept = addWrite(many, write(1_000), "boot-1");
    expect(kept).toHaveLength(64);
    expect(kept.at(-1)).toEqual(write(1_000));
  });
});

describe("the record on disk", () => {
  test("comes back as it was written, and holds nothing that others may not read", async () => {
    await writeRecord(scratch("refresh.json"), RECORD);
    expect(await readRecord(scratch("refresh.json"), scratch("credentials"))).toEqual(RECORD);
    expect(statSync(scratch("refresh.json")).mode & 0o777).toBe(0o644);
  });

  test.each([
    ["empty", ""],
    ["cut in half", JSON.stringify(RECORD).slice(0, 100)],
    ["null", "null"],
    ["a list", "[]"],
    ["another program's", '{"version":1}'],
    ["without its hash", JSON.stringify({ ...RECORD, sha256: undefined })],
    ["with a date that is none", JSON.stringify({ ...RECORD, expiresAt: "later" })],
    ["with a text for a number", JSON.stringify({ ...RECORD, expiresBootMs: "1" })],
    ["without writes", JSON.stringify({ ...RECORD, writes: undefined })],
    ["with writes that are none", JSON.stringify({ ...RECORD, writes: [null] })],
    [
      "with writes at a time that cannot be (seed 35316602)",
      JSON.stringify({
        ...RECORD,
        writes: [{ atBootMs: Number.MAX_SAFE_INTEGER, previousExpiresBootMs: null }],
      }),
    ],
    ["with an expiry that cannot be", JSON.stringify({ ...RECORD, expiresBootMs: 1e300 })],
    ["with writes without a time", JSON.stringify({ ...RECORD, writes: [{ previousExpiresBootMs: null }] })],
    ["too large", JSON.stringify({ ...RECORD, sessionArn: "x".repeat(70_000) })],
  ])("that is %s counts as none", async (_, text) => {
    writeFileSync(scratch("refresh.json"), text);
    expect(await readRecord(scratch("refresh.json"), scratch("credentials"))).toBeNull();
  });

  test("tells of the file that is there, also where a refresh was killed before it replaced that", async () => {
    const next = { ...RECORD, sha256: sha256("new"), issuedBootMs: 9, replaces: RECORD };
    await writeRecord(scratch("refresh.json"), next);
    for (const [content, expected] of [
      ["text", RECORD],
      ["new", next],
      ["somebody else's", next],
    ] as const) {
      writeFileSync(scratch("credentials"), content);
      expect(await readRecord(scratch("refresh.json"), scratch("credentials"))).toEqual(expected);
    }
  });

  test("that is missing, a directory or a link counts as none", async () => {
    writeFileSync(scratch("real"), JSON.stringify(RECORD));
    symlinkSync("real", scratch("link"));
    mkdirSync(scratch("directory"));
    for (const name of ["none", "link", "directory"])
      expect(await readRecord(scratch(name), scratch("credentials"))).toBeNull();
    expect(await readRecord(scratch("real"), scratch("credentials"))).toEqual(RECORD);
  });
});

describe("the credentials file is told by its hash", () => {
  test.each([
    ["ours", "text", RECORD],
    ["foreign", "text ", RECORD],
    ["foreign", "", RECORD],
    ["foreign", "text", null],
    ["missing", null, RECORD],
    ["missing", null, null],
  ])("%s: %j", async (state, text, record) => {
    if (text !== null) writeFileSync(scratch("credentials"), text);
    expect(await inspectFile(scratch("credentials"), record, RECORD)).toBe(state);
  });

  test("and a link or a directory is not ours, whatever is behind it", async () => {
    writeFileSync(scratch("real"), "text");
    symlinkSync("real", scratch("link"));
    mkdirSync(scratch("directory"));
    expect(await inspectFile(scratch("link"), RECORD, RECORD)).toBe("foreign");
    expect(await inspectFile(scratch("directory"), RECORD, RECORD)).toBe("foreign");
  });
});

describe("what a pause of the host or a change of the config does to what is recorded", () => {
  test("two hours that only the wall clock knows of have passed for the session, too", () => {
    const now = at(ISSUED_MS + 130 * MINUTE_MS, 5 * HOUR_MS + 10 * MINUTE_MS);
    expect(expiresBootMs(RECORD, now, "boot-1")).toBeLessThan(now.bootMs);
  });

  test("a clock put right by minutes is no pause", () => {
    const now = at(ISSUED_MS + 15 * MINUTE_MS, 5 * HOUR_MS + 10 * MINUTE_MS);
    expect(expiresBootMs(RECORD, now, "boot-1")).toBe(RECORD.expiresBootMs);
  });

  test.each([
    { sessionArn: "arn:aws:sts::123456789012:assumed-role/Other/SN-1" },
    { profile: "other" },
    { group: "readers" },
  ])("a file made for something else than %j is ours, and outdated", async (change) => {
    writeFileSync(scratch("credentials"), "text");
    expect(await inspectFile(scratch("credentials"), RECORD, { ...RECORD, ...change })).toBe("outdated");
  });
});
