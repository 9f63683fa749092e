/** Since when the agent's config has been saying what it says, where only its own time tells. */
import { utimesSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { configChangedBootMs, type KeptConfig } from "../../../src/agent/config-upkeep.ts";
import type { SyncRecord } from "../../../src/agent/sync-record.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();
const HOUR_MS = 3_600_000;
const NOW = { wallMs: Date.UTC(2027, 0, 1), bootMs: 60_000, awakeMs: 60_000 };
const FIRST_SIGHT: SyncRecord = {
  bootId: "boot-1",
  config: null,
  inForce: null,
  lastReloadBootMs: null,
  lastCredentialsReloadBootMs: null,
  lastFailure: null,
  workerMissingSinceBootMs: null,
  leaving: null,
};

function changedAt(wallMs: number): KeptConfig {
  return {
    report: { state: "matches", file: "f", detail: "", differences: [], backup: null },
    isAsDesired: true,
    wasRepaired: false,
    meaning: "m",
    changedWallMs: wallMs,
  };
}

/** @param agoMs by the wall clock as it is now; negative for the future */
function pidFileWritten(agoMs: number): string {
  const path = scratch("agent.pid");
  writeFileSync(path, "1\n");
  utimesSync(path, (NOW.wallMs - agoMs) / 1_000, (NOW.wallMs - agoMs) / 1_000);
  return path;
}

describe("at the first sight in a boot", () => {
  test.each([
    ["changed a second ago", -1_000, 30_000, NOW.bootMs - 1_000],
    ["changed before the boot", -HOUR_MS, 30_000, NOW.bootMs - HOUR_MS],
    ["the host booted nine hours behind: the config is of before the boot", 9 * HOUR_MS, 30_000, 0],
    [
      "stepped back nine hours since the agent started: it may be newer",
      9 * HOUR_MS,
      -8 * HOUR_MS,
      NOW.bootMs,
    ],
    ["a little in the future: it may be newer", 30_000, 30_000, NOW.bootMs],
  ])("%s", (_, aheadMs, pidFileAgoMs, expected) => {
    const kept = changedAt(NOW.wallMs + aheadMs);
    expect(configChangedBootMs(kept, FIRST_SIGHT, NOW, pidFileWritten(pidFileAgoMs))).toBe(expected);
  });

  test("without a pid file nothing is taken for granted", () => {
    const kept = changedAt(NOW.wallMs + 9 * HOUR_MS);
    expect(configChangedBootMs(kept, FIRST_SIGHT, NOW, scratch("absent"))).toBe(NOW.bootMs);
  });
});
