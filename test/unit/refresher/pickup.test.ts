/** The rule when the agent must load anew: the table of DESIGN and of the issue. */
import { describe, expect, test } from "vitest";
import { mustLoadSince, type PickupFacts, type PickupReason } from "../../../src/refresher/pickup.ts";

const MIN = 60_000;
const HOUR = 60 * MIN;
const WINDOW = 28 * MIN;

/** All instants in minutes of the boot clock. */
interface Case {
  now: number;
  /** Time of the write, and when what was there before expires; null when that is not known. */
  writes: [at: number, previousExpires: number | null][];
  /** Time of the step, and how far back. */
  stepsBack?: [at: number, by: number][];
  /** When what the file holds now expires: an hour after the last write unless given. */
  expires?: number | null;
  workerStarted?: number | null;
}

function decide({ now, writes, stepsBack = [], expires, workerStarted = 0 }: Case) {
  const lastWrite = writes.at(-1)?.[0];
  const current = expires === undefined ? (lastWrite === undefined ? null : lastWrite + 60) : expires;
  const facts: PickupFacts = {
    nowBootMs: now * MIN,
    pickupWindowMs: WINDOW,
    writes: writes.map(([at, previous]) => ({
      atBootMs: at * MIN,
      previousExpiresBootMs: previous === null ? null : previous * MIN,
    })),
    stepsBack: stepsBack.map(([at, by]) => ({ atBootMs: at * MIN, byMs: by * MIN })),
    currentExpiresBootMs: current === null ? null : current * MIN,
    workerStartedBootMs: workerStarted === null ? null : workerStarted * MIN,
  };
  const found = mustLoadSince(facts);
  return found && { since: found.sinceBootMs / MIN, reason: found.reason, lapses: found.lapsesBootMs / MIN };
}

type Yes = [since: number, reason: PickupReason, lapses: number];

const CASES: [name: string, situation: Case, expected: Yes | null][] = [
  [
    "normal cadence: the old ones outlast the window",
    {
      now: 600,
      writes: [
        [570, 600],
        [600, 630],
      ],
    },
    null,
  ],
  [
    "what the file holds has expired: a reload would bring nothing, and put off the one that will",
    { now: 600, writes: [[575, 560]], stepsBack: [[590, 5]], expires: 599 },
    null,
  ],
  ["a refresh that leaves exactly the window", { now: 600, writes: [[600, 628]] }, null],
  ["a refresh 3 minutes late", { now: 600, writes: [[600, 627]] }, [600, "expires_before_pickup", 628]],
  ["a refresh after the expiry", { now: 600, writes: [[600, 590]] }, [600, "expires_before_pickup", 628]],
  [
    "a reboot after two hours, the agent started before us",
    { now: 1, writes: [[1, -60]], workerStarted: 0.5 },
    [1, "expires_before_pickup", 29],
  ],
  [
    "a reboot after two hours, the agent started after us",
    { now: 5, writes: [[1, -60]], workerStarted: 2 },
    null,
  ],
  ["first install", { now: 600, writes: [[600, null]] }, [600, "first_or_unknown", 628]],
  [
    "first install, the agent not running",
    { now: 600, writes: [[600, null]], workerStarted: null },
    [600, "first_or_unknown", 628],
  ],
  [
    "E unknown: somebody else wrote the file before",
    { now: 700, writes: [[680, null]] },
    [680, "first_or_unknown", 708],
  ],
  [
    "the worker started at the very moment of the write",
    { now: 600, writes: [[600, null]], workerStarted: 600 },
    null,
  ],
  ["the worker started since: it has them", { now: 601, writes: [[600, 590]], workerStarted: 600.5 }, null],
  [
    "a two-hour event, during which the agent read by itself",
    {
      now: 720,
      writes: [
        [600, 590],
        [630, 660],
        [660, 690],
        [690, 720],
      ],
    },
    null,
  ],
  [
    "an event of ten minutes, which is not long enough",
    { now: 610, writes: [[600, 590]] },
    [600, "expires_before_pickup", 628],
  ],
  ["the moment at which it lapses", { now: 628, writes: [[600, 590]] }, null],
  [
    "two quick writes keep the first demand",
    {
      now: 601,
      writes: [
        [600, 590],
        [601, 660],
      ],
    },
    [600, "expires_before_pickup", 628],
  ],
  [
    "two late writes: the later is what must be loaded",
    {
      now: 605,
      writes: [
        [600, 590],
        [605, 610],
      ],
    },
    [605, "expires_before_pickup", 633],
  ],
  [
    "clock stepped back by seconds, at the normal cadence",
    { now: 610, writes: [[600, 630]], stepsBack: [[610, 0.1]] },
    null,
  ],
  [
    "clock stepped back by three minutes: the next read comes too late",
    { now: 610, writes: [[600, 630]], stepsBack: [[610, 3]] },
    [600, "clock_stepped_back", 631],
  ],
  [
    "clock stepped back by 33 minutes: the file's own life is outlasted",
    { now: 620, writes: [[600, 640]], stepsBack: [[619, 33]], expires: 660 },
    [619, "clock_stepped_back", 680],
  ],
  [
    "clock stepped back by nine hours",
    { now: 620, writes: [[600, 640]], stepsBack: [[619, 540]] },
    [619, "clock_stepped_back", 1_187],
  ],
  [
    "clock stepped back by nine hours, the worker started since",
    { now: 620, writes: [[600, 640]], stepsBack: [[619, 540]], workerStarted: 619.5 },
    null,
  ],
  [
    "clock stepped back by nine hours, a write at that moment: it must be loaded",
    {
      now: 621,
      writes: [
        [600, 640],
        [620, 660],
      ],
      stepsBack: [[620, 540]],
    },
    [620, "clock_stepped_back", 1_188],
  ],
  [
    "a step back before the worker started delays nothing",
    { now: 610, writes: [[600, 630]], stepsBack: [[590, 540]], workerStarted: 595 },
    null,
  ],
  ["clock stepped forward: instants of the boot clock do not care", { now: 610, writes: [[600, 630]] }, null],
  [
    "two steps back add up",
    {
      now: 620,
      writes: [[600, 631]],
      stepsBack: [
        [605, 2],
        [615, 2],
      ],
    },
    [600, "clock_stepped_back", 632],
  ],
  ["a step back without a file of ours", { now: 620, writes: [], stepsBack: [[619, 540]] }, null],
  ["nothing written in this boot", { now: 620, writes: [], expires: 640 }, null],
];

describe("the agent is told to load anew", () => {
  test.each(CASES)("%s", (_, situation, expected) => {
    const found = decide(situation);
    expect(found && [found.since, found.reason, found.lapses]).toEqual(expected);
  });

  test("for the same demand at every look until it is met or lapses, and never after", () => {
    const at = (now: number, workerStarted = 0) =>
      decide({ now, writes: [[600, 590]], workerStarted })?.since ?? null;
    expect([600, 610, 620, 627.9].map((now) => at(now))).toEqual([600, 600, 600, 600]);
    expect([628, 700, 10_000].map((now) => at(now))).toEqual([null, null, null]);
    expect(at(620, 615)).toBeNull();
  });
});

test("a day of normal cadence asks for no reload, whenever one looks", () => {
  const writes: [number, number][] = [];
  for (let at = 30; at <= 24 * 60; at += 30) {
    writes.push([at, at + 30]);
    for (const now of [at, at + 1, at + 29]) {
      expect(decide({ now, writes: writes.slice(-8), workerStarted: 1 })).toBeNull();
    }
  }
  expect(writes).toHaveLength((24 * HOUR) / (30 * MIN));
});
