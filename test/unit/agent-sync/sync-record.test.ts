/** What the root oneshot remembers of its earlier runs in this boot, and of no other. */
import { rmSync, statSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { readSyncRecord, type SyncRecord, writeSyncRecord } from "../../../src/agent/sync-record.ts";
import type { Paths } from "../../../src/config/config.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();
let paths: Paths;
beforeEach(() => {
  paths = { stateDir: scratch(), runtimeDir: scratch(), agentRuntimeDir: scratch() };
});

const FRESH: SyncRecord = {
  bootId: "boot-1",
  config: null,
  inForce: null,
  lastReloadBootMs: null,
  lastCredentialsReloadBootMs: null,
  lastFailure: null,
  workerMissingSinceBootMs: null,
  leaving: null,
};
const RECORD: SyncRecord = {
  bootId: "boot-1",
  config: { meaning: "m", sinceBootMs: 5 },
  inForce: "digest",
  lastReloadBootMs: 7,
  lastCredentialsReloadBootMs: 5,
  lastFailure: { detail: "d", nextStep: "n" },
  workerMissingSinceBootMs: null,
  leaving: { pid: 1, startTicks: 2, askedBootMs: 3 },
};

describe("the record", () => {
  test("comes back as it was written, for root's eyes alone", async () => {
    await writeSyncRecord(paths, RECORD);
    expect(await readSyncRecord(paths, "boot-1")).toEqual(RECORD);
    expect(statSync(scratch("sync.json")).mode & 0o777).toBe(0o600);
  });

  test("that cannot be written is a failure that names it, not a crash", async () => {
    rmSync(scratch(), { recursive: true });
    await expect(writeSyncRecord(paths, RECORD)).rejects.toMatchObject({
      name: "Failure",
      kind: "cannot_write",
      message: expect.stringContaining(scratch("sync.json")),
    });
  });

  test("of another boot is forgotten: the agent's processes are all new", async () => {
    await writeSyncRecord(paths, RECORD);
    expect(await readSyncRecord(paths, "boot-2")).toEqual({ ...FRESH, bootId: "boot-2" });
  });

  test("of an earlier version lacks nothing", async () => {
    writeFileSync(scratch("sync.json"), '{"bootId":"boot-1","lastReloadBootMs":7}');
    expect(await readSyncRecord(paths, "boot-1")).toEqual({ ...FRESH, lastReloadBootMs: 7 });
  });

  test.each([null, "", "{", "null", "[]", "5"])("that says %j is an empty one", async (text) => {
    if (text !== null) writeFileSync(scratch("sync.json"), text);
    expect(await readSyncRecord(paths, "boot-1")).toEqual(FRESH);
  });
});
