/** The service collects what a refresh has left, where V8 lets it, and does without where it does not. */
import { afterEach, expect, test } from "vitest";
import { giveBackMemory } from "../../../src/refresher/spare-memory.ts";

const place = globalThis as { gc?: unknown };
const original = place.gc;
afterEach(() => {
  place.gc = original;
});

test("a whole collection, as if memory were short", () => {
  const asked: unknown[] = [];
  place.gc = (options: unknown) => asked.push(options);
  giveBackMemory();
  expect(asked).toEqual([{ type: "major", execution: "sync", flavor: "last-resort" }]);
});

test("nothing, where Node was not started for it", () => {
  place.gc = undefined;
  expect(giveBackMemory).not.toThrow();
});
