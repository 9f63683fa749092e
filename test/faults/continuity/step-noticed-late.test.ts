/**
 * The wall clock set back so that the agent's next read comes, by a few seconds, late for some moments of the minute in
 * which it happened, and in time for others. `run` cannot know which it was, and reloads.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bundleSimulator } from "./bundle.ts";
import { liveThroughAll } from "./threads.ts";

const directory = mkdtempSync(join(tmpdir(), "step-noticed-late-"));
afterAll(() => rmSync(directory, { recursive: true }));

test("is no reload without need (seeds 20262495, 20263719, 20263791)", async () => {
  const file = await bundleSimulator(directory);
  const seeds = [20_262_495, 20_263_719, 20_263_791];
  const { signal } = new AbortController();
  const sums = await liveThroughAll({ file, seeds, programs: ["ours"], days: 7, signal });
  expect(sums.get("ours")).toMatchObject({ traces: 3, needlessReloads: 0, expiredS: { nothing: 0 } });
});
