/** `idc-helper status`: the verdict that monitoring acts on, and what a person reads. */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { readStatus, type Status, StatusWriter } from "../../../src/report/status.ts";
import { describeStatus, judge } from "../../../src/report/status-text.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { minutesFromNow as iso, NOW_MS, sampleFailure, sampleStatus } from "./sample-status.ts";

const scratch = useScratchDirectory();
const agent = (changes: Partial<Status["agent"]>) => ({ agent: { ...sampleStatus().agent, ...changes } });
const expiring = (minutes: number) => ({
  credentials: { file: "/f", issued_at: iso(minutes - 60), expires_at: iso(minutes), in_place: true },
});

describe("the verdict", () => {
  const CASES: [string, Partial<Status>, boolean, 0 | 1 | 2, string][] = [
    ["all is well", {}, true, 0, "SN-1: credentials last 45 min"],
    ["the agent is only just starting", agent({ state: "starting" }), true, 0, "credentials last"],
    ["a reload is deferred, which is no problem", agent({ reload: "deferred" }), true, 0, "credentials last"],
    ["the config was mended", agent({ config_match: "repaired" }), true, 0, "credentials last"],
    ["there are no credentials yet", { credentials: null }, true, 2, "SN-1 has no credentials yet"],
    [
      "there are none, and why",
      { credentials: null, ...sampleFailure() },
      true,
      2,
      "no credentials yet: AWS denies it",
    ],
    ["they have expired", expiring(-90), true, 2, "the credentials expired 1 h 30 min ago"],
    ["they expire at this moment", expiring(0), true, 2, "expired 0 s ago"],
    ["they are expired and nothing runs", expiring(-1), false, 2, "expired"],
    ["the service does not run", {}, false, 2, "but idc-helper run is not running"],
    [
      "the service is silent",
      { updated_at: iso(-30), next_refresh_at: iso(-6) },
      true,
      2,
      "has not reported since",
    ],
    [
      "a refresh is a little late",
      { updated_at: iso(-30), next_refresh_at: iso(-4) },
      true,
      0,
      "credentials last",
    ],
    [
      "a refresh is long due, but the service speaks",
      { updated_at: iso(-1), next_refresh_at: iso(-60) },
      true,
      0,
      "last",
    ],
    [
      "nothing is planned, and the service is silent",
      { updated_at: iso(-6), next_refresh_at: null },
      true,
      2,
      "not reported",
    ],
    ["a refresh fails", sampleFailure("unreachable"), true, 1, "refresh failing (unreachable, 3 in a row)"],
    [
      "somebody wrote the file",
      { credentials: { ...expiring(45).credentials, in_place: false } },
      true,
      1,
      "changed by somebody else",
    ],
    [
      "a changed config is wrong",
      { config: { file: "/c", loaded_at: iso(-9), rejected: "x" } },
      true,
      1,
      "not in force",
    ],
    ...["stopped", "failed", "masked", "absent", "unknown", "stopping"].map(
      (state): [string, Partial<Status>, boolean, 1, string] => [
        `the agent is ${state}`,
        agent({ state }),
        true,
        1,
        `the agent is ${state}`,
      ],
    ),
    ...["drifted", "missing", "unknown"].map((match): [string, Partial<Status>, boolean, 1, string] => [
      `the agent's config is ${match}`,
      agent({ config_match: match }),
      true,
      1,
      `config: ${match}`,
    ]),
    ["a reload failed", agent({ reload: "failed" }), true, 1, "could not be reloaded"],
    ["a reload waits for a hand", agent({ reload: "off" }), true, 1, "waits for a reload by hand"],
    [
      "there is a warning",
      { warnings: [{ code: "c", message: "the clock is off", next_step: "" }] },
      true,
      1,
      "the clock is off",
    ],
  ];
  test.each(CASES)("%s", (_, changes, isRunning, level, summary) => {
    const verdict = judge(sampleStatus(changes), isRunning, NOW_MS);
    expect(verdict).toEqual({ level, summary: expect.stringContaining(summary) });
    expect(verdict.summary).not.toContain("\n");
  });
});

const text = (status: Status, isTerminal = false) =>
  describeStatus(status, judge(status, true, NOW_MS), { nowMs: NOW_MS, isTerminal });

describe("what a person reads", () => {
  test.each([
    [100, 30],
    [60, 1],
    [50, 0],
  ])("has a bar of its lifetime that fits on %i columns", (columns, least) => {
    const status = sampleStatus();
    const verdict = judge(status, true, NOW_MS);
    const shown = describeStatus(status, verdict, { nowMs: NOW_MS, isTerminal: true, columns });
    const line = shown.split("\n").find((each) => each.includes("last until")) ?? "";
    const bar = line.match(/[█░]/g) ?? [];
    expect(bar.length).toBeGreaterThanOrEqual(least);
    if (least === 0) expect(bar).toEqual([]);
    else expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(columns);
  });

  test("begins with the verdict, and has a line for each thing worth knowing", () => {
    const lines = text(sampleStatus()).split("\n");
    expect(lines[0]).toBe("OK - SN-1: credentials last 45 min");
    const names = lines.slice(1).map((line) => line.slice(2, 15).trim());
    expect(names).toEqual([
      "session",
      "credentials",
      "file",
      "last success",
      "next refresh",
      "agent",
      "agent config",
      "agent reload",
    ]);
    expect(lines.join("\n")).not.toContain("\x1b");
  });

  test("names the failure with its next step, warnings and a rejected config", () => {
    const status = sampleStatus({
      ...sampleFailure(),
      warnings: [{ code: "clock_skew", message: "the clock is off", next_step: "Set it." }],
      config: { file: "/c", loaded_at: iso(-9), rejected: "/c:3: region: wrong" },
    });
    for (const part of [
      "denied, 3 in a row since",
      "AWS denies it",
      "Ask for it.",
      "the clock is off",
      "Set it.",
      "/c is wrong",
      "/c:3: region: wrong",
    ]) {
      expect(text(status)).toContain(part);
    }
  });

  test("says what a deferred reload is for, and why it waits", () => {
    const status = sampleStatus(
      agent({ reload: "deferred", reload_for: ["credentials", "config"], reload_detail: "an event" }),
    );
    expect(text(status)).toContain("deferred for its credentials and config (an event)");
  });

  test.each([
    [60, 30],
    [45, 23],
    [30, 15],
    [1, 1],
    [-10, 0],
  ])("on a terminal shows %s of 60 minutes as a bar of %s of 30", (minutes, full) => {
    const bar = text(sampleStatus(expiring(minutes)), true);
    expect(bar.match(/█/g)?.length ?? 0).toBe(full);
    expect((bar.match(/[█░]/g) ?? []).length).toBe(30);
  });

  test("says EXPIRED where that is so", () => {
    expect(text(sampleStatus(expiring(-10)))).toMatch(/^CRITICAL - .*\n[\s\S]*EXPIRED/);
  });
});

describe("the status file", () => {
  test("comes back as it was written; a missing one is null", async () => {
    expect(await readStatus(scratch("status.json"))).toBeNull();
    await new StatusWriter().write(scratch("status.json"), sampleStatus());
    expect(await readStatus(scratch("status.json"))).toEqual(sampleStatus());
  });

  test("is written when something changed, and after a write that failed, but not at every tick", async () => {
    const writer = new StatusWriter();
    const path = scratch("run", "status.json");
    await expect(writer.write(path, sampleStatus())).rejects.toMatchObject({ code: "ENOENT" });
    mkdirSync(scratch("run"));
    await writer.write(path, sampleStatus());
    const { ino } = statSync(path);
    await writer.write(path, sampleStatus({ updated_at: iso(0) }));
    expect(statSync(path).ino).toBe(ino);
    await writer.write(path, sampleStatus({ updated_at: iso(0), pid: 1 }));
    expect(await readStatus(path)).toMatchObject({ pid: 1, updated_at: iso(0) });
  });

  test.each(["", "{", "null", "[]", '{"schema":2}'])("that says %j is refused", async (content) => {
    writeFileSync(scratch("status.json"), content);
    await expect(readStatus(scratch("status.json"))).rejects.toThrow(SyntaxError);
  });

  test("written by a thief passes no control characters on to root's terminal", async () => {
    const odd = "\u001b[2J\u0007\u009b31m\u202eOK";
    const warnings = [{ code: "x", message: odd, next_step: odd }];
    writeFileSync(scratch("status.json"), JSON.stringify(sampleStatus({ serial: odd, warnings })));
    const status = await readStatus(scratch("status.json"));
    expect(text(status as Status)).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
    writeFileSync(scratch("status.json"), `{"schema":1,${odd}`);
    await expect(readStatus(scratch("status.json"))).rejects.toThrow(/^\S+ is not JSON$/);
  });

  test.each(Object.keys(sampleStatus()).filter((key) => key !== "schema"))(
    "without its %s, or with another kind of thing there, is refused",
    async (key) => {
      for (const value of [undefined, {}, [5], key === "pid" ? "1" : 5, "\u0000"]) {
        if (typeof value === "string" && typeof sampleStatus()[key as keyof Status] === "string") continue;
        if (Array.isArray(value) && key !== "warnings") continue;
        if (value === 5 && key === "failures_in_a_row") continue;
        writeFileSync(scratch("status.json"), JSON.stringify({ ...sampleStatus(), [key]: value }));
        await expect(readStatus(scratch("status.json")), String(value)).rejects.toThrow(SyntaxError);
      }
    },
  );
});
