/** Is a lifecycle event in progress? On this the promise hangs that no deployment fails because of us. */
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readLifecycleEvents } from "../../../src/agent/lifecycle-events.ts";
import { asAnotherUser } from "../host/another-user.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();
const HOUR_MS = 3_600_000;

/** Files by name, with their age in milliseconds. */
function tracked(files: Record<string, number>): string {
  mkdirSync(scratch("tracking"));
  for (const [name, ageMs] of Object.entries(files)) {
    writeFileSync(scratch("tracking", name), "host-command");
    const time = (Date.now() - ageMs) / 1_000;
    utimesSync(scratch("tracking", name), time, time);
  }
  return scratch("tracking");
}

const CASES: [string, Record<string, number>, number | null, object][] = [
  ["an empty directory", {}, HOUR_MS, { kind: "none" }],
  [
    "a file younger than the worker",
    { "d-A": 60_000 },
    HOUR_MS,
    { kind: "in_progress", deploymentIds: ["d-A"] },
  ],
  [
    "a file older than the worker",
    { "d-A": 2 * HOUR_MS },
    HOUR_MS,
    { kind: "left_over", deploymentIds: ["d-A"] },
  ],
  [
    "both: the younger counts",
    { "d-A": 2 * HOUR_MS, "d-B": 1_000 },
    HOUR_MS,
    { kind: "in_progress", deploymentIds: ["d-B"] },
  ],
  [
    "a file from the future: the clock was set back",
    { "d-A": -9 * HOUR_MS },
    HOUR_MS,
    { kind: "in_progress", deploymentIds: ["d-A"] },
  ],
  [
    "a file, and no worker to run its event",
    { "d-A": 1_000 },
    null,
    { kind: "left_over", deploymentIds: ["d-A"] },
  ],
  [
    "a file of a day ago, and a worker of a week",
    { "d-A": 24 * HOUR_MS },
    7 * 24 * HOUR_MS,
    { kind: "in_progress", deploymentIds: ["d-A"] },
  ],
];

describe("the tracking directory", () => {
  test.each(CASES)("%s", async (_, files, workerAgeMs, expected) => {
    expect(await readLifecycleEvents(tracked(files), workerAgeMs)).toEqual(expected);
  });

  test("that does not exist says that there is none", async () => {
    expect(await readLifecycleEvents(scratch("none"), HOUR_MS)).toEqual({ kind: "none" });
  });

  test("with an entry that is gone when it is looked at says nothing of it", async () => {
    symlinkSync("nowhere", `${tracked({})}/d-A`);
    expect(await readLifecycleEvents(scratch("tracking"), HOUR_MS)).toEqual({ kind: "none" });
  });
});

describe("what cannot be read is unknown, never empty", () => {
  test("a file where the directory should be", async () => {
    writeFileSync(scratch("file"), "");
    expect(await readLifecycleEvents(scratch("file"), HOUR_MS)).toMatchObject({
      kind: "unknown",
      why: expect.stringContaining(scratch("file")),
    });
  });

  test.each([0o000, 0o600])("a directory of mode %o, to one whom modes bind", (mode) => {
    chmodSync(tracked({ "d-A": 1_000 }), mode);
    const found = asAnotherUser(
      scratch("tracking"),
      `import { readLifecycleEvents } from "SRC/agent/lifecycle-events.ts";`,
      `readLifecycleEvents(${JSON.stringify(scratch("tracking"))}, 3600000)`,
    );
    expect(found).toEqual({ kind: "unknown", why: `${scratch("tracking")}: permission denied` });
    chmodSync(scratch("tracking"), 0o700);
  });
});
