/** What happened to the clock between two looks at it. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { clockChange, type Instant, readBootId, readClock } from "../../../src/host/clock.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const before: Instant = {
  wallMs: Date.parse("2026-11-22T10:00:00Z"),
  bootMs: 5 * HOUR_MS,
  awakeMs: 4 * HOUR_MS,
};

/** The reading after some time, the wall clock stepped by something and part of the time slept through. */
const after = (elapsedMs: number, stepMs: number, sleptMs: number): Instant => ({
  wallMs: before.wallMs + elapsedMs + stepMs,
  bootMs: before.bootMs + elapsedMs,
  awakeMs: before.awakeMs + elapsedMs - sleptMs,
});

describe("a change of the clock", () => {
  test.each([
    ["nothing in half a minute", 30_000, 0, 0, 0, 0],
    ["slewing of 500 ppm, which is no step", MINUTE_MS, -30, 0, 0, 0],
    ["a leap smaller than a second", 30_000, 999, 0, 0, 0],
    ["a step back by seconds", 30_000, -7_000, 0, -7_000, 0],
    ["a step back by nine hours", 30_000, -9 * HOUR_MS, 0, -9 * HOUR_MS, 0],
    ["a step forward by a day", 30_000, 24 * HOUR_MS, 0, 24 * HOUR_MS, 0],
    ["two hours of sleep, which is no step", 2 * HOUR_MS, 0, 2 * HOUR_MS - 30_000, 0, 2 * HOUR_MS - 30_000],
    ["a moment of sleep, which matters to nobody", 30_000, 0, 4_000, 0, 0],
    ["sleep with a step at the wake-up", HOUR_MS, -5_000, HOUR_MS, -5_000, HOUR_MS],
    ["no time at all", 0, 0, 0, 0, 0],
  ])("%s", (_, elapsedMs, stepMs, slept, steppedMs, sleptMs) => {
    expect(clockChange(before, after(elapsedMs, stepMs, slept))).toEqual({ steppedMs, sleptMs });
  });
});

test("two real readings in a row show neither step nor sleep", () => {
  const first = readClock();
  expect(Object.values(first).every((value) => Number.isFinite(value) && value > 0)).toBe(true);
  expect(clockChange(first, readClock())).toEqual({ steppedMs: 0, sleptMs: 0 });
});

test("the boot clock is the kernel's time since the boot, in milliseconds", () => {
  const [uptime] = readFileSync("/proc/uptime", "utf8").split(" ");
  const { bootMs } = readClock();
  expect(bootMs).toBeGreaterThanOrEqual(Number(uptime) * 1_000 - 20);
  expect(bootMs).toBeLessThan(Number(uptime) * 1_000 + 60_000);
});

test("the boot is known by the kernel's id", () => {
  expect(readBootId()).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(readBootId()).toBe(readBootId());
});
