/** What the campaign claims to try must come up in its traces: a fault that is never drawn proves nothing. */
import { expect, test } from "vitest";
import { drawTrace } from "./faults.ts";
import { Random } from "./random.ts";

const PROMISED: readonly [string, RegExp][] = [
  ["STS out of reach for less than a minute", /^(network|refused|silent|server-error) for \d{1,2} s/],
  [
    "STS out of reach for a day or more",
    /^(network|refused|silent|server-error) for (8[7-9]|9\d|\d{3})\d{3} s/,
  ],
  ["throttling", /^throttled for/],
  ["slow answers", /^slow for/],
  ["answers that come too late", /^too-slow for/],
  ["answers that break off", /^partial for/],
  ["wrong answers", /^bad-answer for/],
  ["base keys that expire", /^expired-key for/],
  ["base keys that lose their right", /^denied for/],
  ["a clock set forward", /^clock steps by \d/],
  ["a clock set back", /^clock steps by -/],
  ["a suspended host", /^suspended/],
  ["a power cut", /^power off/],
  ["a kill of the service", /^killDaemon at call \d/],
  ["a kill of a refresh", /^killChild at call \d/],
  ["a kill of the root oneshot", /^killOneshot at call \d/],
  ["a full disk", /^disk full/],
  ["a deployment", /^deployment/],
  ["a crash of the agent's worker", /^worker crashes/],
  ["a crash of the agent's master", /^master crashes/],
  ["an agent stopped by hand", /^agent stopped by hand/],
  ["an edit of the agent's config", /^agent's config edited/],
  ["a right edit of ours", /^our config edited$/],
  ["a wrong edit of ours", /^our config edited, wrongly/],
];

const traces = Array.from({ length: 1_000 }, (_, seed) => drawTrace(new Random(seed), seed, 7));

test.each(PROMISED)("the traces have %s", (_, pattern) => {
  const having = traces.filter(({ happenings }) => happenings.some(({ what }) => pattern.test(what)));
  expect(having.length).toBeGreaterThan(0);
});

test("clocks drift either way, and some traces have no faults", () => {
  expect(traces.some(({ drift }) => drift > 100e-6)).toBe(true);
  expect(traces.some(({ drift }) => drift < -100e-6)).toBe(true);
  expect(traces.some(({ isQuiet }) => isQuiet)).toBe(true);
});

test("the same seed draws the same trace", () => {
  const what = () => drawTrace(new Random(7), 7, 7).happenings.map((each) => `${each.at} ${each.what}`);
  expect(what()).toEqual(what());
});
