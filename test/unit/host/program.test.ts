/** Other programs, whose output becomes unreadable under way: what ends is they, not the command that asked. */
import { type ChildProcess, execFileSync } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { writeFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { outputOf } from "../../../src/host/program.ts";
import { startChild } from "../../../src/refresher/child.ts";
import { useScratchDirectory } from "./scratch-directory.ts";

const scratch = useScratchDirectory();
const program = process.argv[1];
afterEach(() => {
  if (program !== undefined) process.argv[1] = program;
});

/** The next program that is started: reading what it says fails as it does when there is no memory left. */
function breakOutputOfNext(): void {
  const found = (message: unknown) => {
    unsubscribe("child_process", found);
    const { process: child } = message as { process: ChildProcess };
    setImmediate(() => child.stdout?.destroy(new Error("read ENOMEM")));
  };
  subscribe("child_process", found);
}

test("a program's output is what it printed", async () => {
  expect(await outputOf("sh", ["-c", "echo said; echo more >&2"], {})).toBe("said\n");
});

test("a program whose output cannot be read is ended, and its caller told so (ENOMEM at main read)", async () => {
  breakOutputOfNext();
  await expect(outputOf("sleep", ["600"], {})).rejects.toThrow("what sleep says cannot be read: read ENOMEM");
});

test("a refresh whose output cannot be read is ended and counts as failed; the service goes on", async () => {
  const script = scratch("lasts.cjs");
  writeFileSync(script, "setInterval(() => undefined, 1_000);");
  process.argv[1] = script;
  breakOutputOfNext();
  const child = startChild({ args: [], input: "", limitMs: 600_000, env: {} });
  expect(await child.result).toMatchObject({ exitCode: null, errors: "read ENOMEM", wasTooSlow: false });
  expect(() => execFileSync("pgrep", ["-f", script])).toThrow();
});
