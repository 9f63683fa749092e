/** Steps of the clock, found as they happen and remembered over a restart of the service. */
import { writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import type { Instant } from "../../../src/host/clock.ts";
import { ClockWatch } from "../../../src/refresher/clock-watch.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();
const MIN = 60_000;
const HOUR = 60 * MIN;
const WALL = Date.parse("2026-11-22T10:00:00Z");

/** The clocks after some time, the wall clock being off from the first look by some time, part of it slept. */
const at = (elapsedMs: number, offMs = 0, sleptMs = 0): Instant => ({
  wallMs: WALL + elapsedMs + offMs,
  bootMs: HOUR + elapsedMs,
  awakeMs: HOUR + elapsedMs - sleptMs,
});

const open = (now: Instant, bootId = "boot-1") => ClockWatch.open(scratch("run.json"), bootId, now);
let watch: ClockWatch;
beforeEach(async () => {
  watch = await open(at(0));
});

describe("while the service runs", () => {
  test("steps back are kept, steps forward and sleep only told", async () => {
    expect(await watch.observe(at(MIN))).toEqual({ steppedMs: 0, sleptMs: 0 });
    expect(await watch.observe(at(2 * MIN, -9 * HOUR))).toEqual({ steppedMs: -9 * HOUR, sleptMs: 0 });
    expect(await watch.observe(at(3 * MIN, 0))).toEqual({ steppedMs: 9 * HOUR, sleptMs: 0 });
    expect(await watch.observe(at(3 * HOUR, 0, 2 * HOUR))).toEqual({ steppedMs: 0, sleptMs: 2 * HOUR });
    expect(watch.stepsBack).toEqual([{ atBootMs: HOUR + 2 * MIN, byMs: 9 * HOUR }]);
  });

  test("slow slewing over days is no step", async () => {
    for (let minute = 1; minute <= 2_000; minute += 1) {
      expect(await watch.observe(at(minute * MIN, -minute * 30))).toEqual({ steppedMs: 0, sleptMs: 0 });
    }
    expect(watch.stepsBack).toEqual([]);
  });

  test("a step that can no longer matter is forgotten", async () => {
    await watch.observe(at(MIN, -HOUR));
    await watch.observe(at(24 * HOUR, -HOUR));
    expect(watch.stepsBack).toHaveLength(1);
    await watch.observe(at(26 * HOUR, -HOUR));
    expect(watch.stepsBack).toEqual([]);
  });
});

describe("over a restart of the service", () => {
  test("earlier steps are remembered, and found only once", async () => {
    await watch.observe(at(MIN, -HOUR));
    const again = await open(at(2 * MIN, -HOUR));
    expect(again.stepsBack).toEqual([{ atBootMs: HOUR + MIN, byMs: HOUR }]);
  });

  test("a step made while it was down is found", async () => {
    await watch.save();
    const again = await open(at(10 * MIN, -3 * MIN));
    expect(again.stepsBack).toEqual([{ atBootMs: HOUR + 10 * MIN, byMs: 3 * MIN }]);
  });

  test("a step forward made while it was down is no step back", async () => {
    await watch.save();
    expect((await open(at(10 * MIN, 9 * HOUR))).stepsBack).toEqual([]);
  });

  test("drift that was saved on the way is no step", async () => {
    await watch.observe(at(HOUR, -600));
    await watch.save();
    expect((await open(at(2 * HOUR, -1_200))).stepsBack).toEqual([]);
  });

  test("in another boot nothing of it counts: the agent's worker is new, too", async () => {
    await watch.observe(at(MIN, -HOUR));
    expect((await open(at(2 * MIN, -5 * HOUR), "boot-2")).stepsBack).toEqual([]);
  });

  test.each([
    "",
    "{",
    "null",
    "[]",
    '{"bootId":"boot-1"}',
    '{"bootId":"boot-1","offsetMs":"x","stepsBack":[]}',
  ])("a record that says %j is none", async (text) => {
    writeFileSync(scratch("run.json"), text);
    expect((await open(at(0, -HOUR))).stepsBack).toEqual([]);
  });

  test("a record that cannot be written stops nothing", async () => {
    const lost = await ClockWatch.open(scratch("none", "run.json"), "boot-1", at(0));
    expect(await lost.observe(at(MIN, -HOUR))).toEqual({ steppedMs: -HOUR, sleptMs: 0 });
    expect(lost.stepsBack).toHaveLength(1);
  });
});
