/** A campaign that is broken off and taken up again must not count a trace twice, nor one of another code. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleSimulator } from "./bundle.ts";
import { liveThroughAll } from "./threads.ts";

const directory = mkdtempSync(join(tmpdir(), "kept-sums-"));
const kept = join(directory, "kept");
let file = "";

beforeAll(async () => {
  file = await bundleSimulator(directory);
});
afterAll(() => rmSync(directory, { recursive: true }));

async function tracesOf(count: number, days: number, isInterrupted: boolean): Promise<number> {
  const seeds = Array.from({ length: count }, (_, index) => 100 + index);
  const signal = isInterrupted ? AbortSignal.abort() : new AbortController().signal;
  const lives = { file, seeds, programs: ["cron-script"] as const, days, kept, signal };
  return (await liveThroughAll(lives)).get("cron-script")?.traces ?? 0;
}

test("what is kept counts once, what is missing is made up for, and what was cut off is not believed", async () => {
  expect(await tracesOf(4, 1, false)).toBe(4);
  expect(await tracesOf(4, 1, true)).toBe(4);
  // The last line of a run that was killed while it wrote.
  writeFileSync(kept, readFileSync(kept, "utf8").slice(0, -20));
  expect(await tracesOf(4, 1, true)).toBe(2);
  appendFileSync(kept, "\n");
  expect(await tracesOf(4, 1, false)).toBe(4);
  expect(await tracesOf(4, 1, true)).toBe(4);
});

test("what other days were lived through does not count for these", async () => {
  expect(await tracesOf(4, 2, true)).toBe(0);
});
