/**
 * The host's clocks. Wall-clock time may be stepped at any moment; what must hold across such a step is
 * reckoned on CLOCK_BOOTTIME, which counts from the boot, never steps, and goes on while the host sleeps.
 */
import { uptime } from "node:os";
import { readKernelFile } from "./kernel-file.ts";

export interface Instant {
  /** Milliseconds since the epoch, by the host's wall clock. */
  wallMs: number;
  /** Milliseconds since the boot, suspended time included (CLOCK_BOOTTIME). */
  bootMs: number;
  /** Milliseconds since an arbitrary start, suspended time left out (CLOCK_MONOTONIC). */
  awakeMs: number;
}

export function readClock(): Instant {
  return { wallMs: Date.now(), bootMs: Math.round(uptime() * 1_000), awakeMs: performance.now() };
}

/** Three thousand years. What a record says beyond that nobody has measured, and no date can be made of it. */
const FURTHEST_MS = 1e14;

/** Whether it is a time, or the time between two, in milliseconds on either clock. */
export function isTimeMs(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= FURTHEST_MS;
}

/** Identifies this boot of the host; instants on the boot clock compare only within one boot. */
export function readBootId(path = "/proc/sys/kernel/random/boot_id"): string {
  // Hidden by ProcSubset=pid and some containers. The runtime directories are emptied at a reboot all the
  // same; only what lies in the state directory could then be mistaken for this boot's.
  return readKernelFile(path, { maxBytes: 64 }) || "unknown";
}

export interface ClockChange {
  /** How far the wall clock was stepped, in milliseconds; negative is back; 0 when it was not. */
  steppedMs: number;
  /** How long the host slept, in milliseconds; 0 when it did not. */
  sleptMs: number;
}

/** Slewing by NTP (500 ppm at most) and the clocks' resolution stay below this in a minute. */
const SMALLEST_STEP_MS = 1_000;
const SMALLEST_SLEEP_MS = 5_000;

/** What happened to the clock between two readings. */
export function clockChange(before: Instant, after: Instant): ClockChange {
  const bootElapsed = after.bootMs - before.bootMs;
  const stepped = after.wallMs - before.wallMs - bootElapsed;
  const slept = bootElapsed - (after.awakeMs - before.awakeMs);
  return {
    steppedMs: Math.abs(stepped) >= SMALLEST_STEP_MS ? Math.round(stepped) : 0,
    sleptMs: slept >= SMALLEST_SLEEP_MS ? Math.round(slept) : 0,
  };
}
