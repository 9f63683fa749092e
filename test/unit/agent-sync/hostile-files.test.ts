/** The agent's settings, and our own records about it, with values that cannot be. */
import { mkdirSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { configChangedBootMs } from "../../../src/agent/config-upkeep.ts";
import { readAnswer } from "../../../src/agent/exchange.ts";
import { readAgentSettings } from "../../../src/agent/settings.ts";
import { readSyncRecord } from "../../../src/agent/sync-record.ts";
import type { Paths } from "../../../src/config/config.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { sampleAnswer } from "../refresher/sample-health.ts";

const scratch = useScratchDirectory();
let paths: Paths;
beforeEach(() => {
  paths = { stateDir: scratch(), runtimeDir: scratch(), agentRuntimeDir: scratch() };
});

async function settings(text: string) {
  writeFileSync(scratch("agent.yml"), text);
  return readAgentSettings(scratch("agent.yml"));
}

describe("the agent's settings", () => {
  test.each(["1e300", "9999999999999999"])(
    "with a timeout of %s make a window of a day, not an invalid date",
    async (seconds) => {
      const reading = await settings(`:http_read_timeout: ${seconds}\n`);
      expect(reading).toMatchObject({ settings: { pickupWindowMs: 86_400_000 } });
    },
  );

  test("with a NUL byte in a path are told by file and key", async () => {
    const why = `${scratch("agent.yml")}: :root_dir holds a NUL byte`;
    expect(await settings(':root_dir: "a\\0b"\n')).toEqual({ unreadable: why });
  });

  test.each([
    ["beyond what can be opened", `/${"a".repeat(5_000)}/x.pid`],
    ["below a file", "/etc/passwd/x.pid"],
  ])("that lead to a pid file %s do not crash the oneshot", async (_, pidFile) => {
    const record = await readSyncRecord(paths, "boot-1");
    const report = { state: "matches", file: "f", detail: "", differences: [], backup: null } as const;
    const kept = { isAsDesired: true, wasRepaired: false, meaning: "m", changedWallMs: 9_000_000 };
    const now = { wallMs: 5_000_000, bootMs: 60_000, awakeMs: 60_000 };
    expect(
      configChangedBootMs({ ...kept, report: { ...report, differences: [] } }, record, now, pidFile),
    ).toBe(60_000);
  });
});

describe("an answer of another version", () => {
  const sample = sampleAnswer();
  test.each([
    ["a window without end", { ...sample, pickupWindowMs: 1e300 }],
    ["a time that is none", { ...sample, at: "soon" }],
    ["a boot time beyond all dates", { ...sample, bootMs: 1e300 }],
    ["a worker without a number", { ...sample, agent: { ...sample.agent, workerPid: "1" } }],
    ["a difference that is none", { ...sample, config: { ...sample.config, differences: [null] } }],
    ["a reload without words", { ...sample, reload: { ...sample.reload, detail: null } }],
  ])("with %s is none", async (_, answer) => {
    writeFileSync(scratch("agent.json"), JSON.stringify(answer));
    expect(await readAnswer(paths)).toBeNull();
    writeFileSync(scratch("agent.json"), JSON.stringify(sample));
    expect(await readAnswer(paths)).toEqual(sample);
  });
});

describe("a record of sync-agent", () => {
  test.each([
    ["an instant that is text", { lastReloadBootMs: "5" }],
    ["half a worker", { leaving: { startTicks: 1, askedBootMs: 1 } }],
    ["a failure without words", { lastFailure: {} }],
    ["a config without a time", { config: { meaning: "x" } }],
  ])("with %s is none", async (_, part) => {
    mkdirSync(scratch(), { recursive: true });
    writeFileSync(scratch("sync.json"), JSON.stringify({ bootId: "boot-1", inForce: "kept", ...part }));
    expect((await readSyncRecord(paths, "boot-1")).inForce).toBeNull();
  });
});
