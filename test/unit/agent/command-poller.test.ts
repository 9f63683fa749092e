/** The rest that the agent takes after errors: up to 90 s (FACTS, pickup window). */
import { expect, test } from "vitest";
import { backoffSeconds } from "../../agent/command-poller.ts";

test("after errors in a row the agent rests ever longer, 90 s at most", () => {
  const rests = Array.from({ length: 12 }, (_, index) => backoffSeconds(index + 1));
  expect(rests).toEqual([10, 13, 17, 21, 27, 34, 44, 56, 71, 90, 90, 90]);
});
