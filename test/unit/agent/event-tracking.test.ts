/** The files of events in progress: what a worker makes of those that an earlier one left. */
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EventTracking } from "../../agent/event-tracking.ts";

const DAY_MS = 86_400_000;
const NOW = 1_700_000_000_000;

let parent: string;
let directory: string;
let tracking: EventTracking;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "agent-tracking-"));
  directory = join(parent, "ongoing-deployment");
  tracking = new EventTracking(directory, DAY_MS);
});
afterEach(() => rmSync(parent, { recursive: true }));

function begun(deploymentId: string, ageMs: number): void {
  tracking.begin(deploymentId, `command of ${deploymentId}`);
  const at = new Date(NOW - ageMs);
  utimesSync(join(directory, deploymentId), at, at);
}

test("an event in progress has a file with its host command, and none when it has ended", () => {
  tracking.begin("d-1", "command-1");
  expect(readFileSync(join(directory, "d-1"), "utf8")).toBe("command-1");
  tracking.end("d-1");
  expect(existsSync(join(directory, "d-1"))).toBe(false);
});

test("an event may end although its file has been removed", () => {
  expect(() => tracking.end("d-gone")).not.toThrow();
});

test("nothing is left over where no event ever ran", () => {
  expect(tracking.leftOver(NOW)).toBeUndefined();
});

test("the newest left-over is the one to report", () => {
  begun("d-older", 3_600_000);
  begun("d-newer", 60_000);
  expect(tracking.leftOver(NOW)).toBe("command of d-newer");
});

test("a left-over of more than 24 h is deleted, not reported", () => {
  begun("d-stale", DAY_MS + 1000);
  expect(tracking.leftOver(NOW)).toBeUndefined();
  expect(existsSync(join(directory, "d-stale"))).toBe(false);
});

test("clearing removes the directory", () => {
  begun("d-1", 0);
  tracking.clear();
  expect(existsSync(directory)).toBe(false);
});
