/** Whether to refresh now: the decision, case by case. */
import { describe, expect, test } from "vitest";
import {
  decideRefresh,
  type RefreshFacts,
  type RefreshReason,
} from "../../../src/refresher/refresh-policy.ts";

const MIN = 60_000;
/** Issued at minute 0 for an hour, looked at in minute 10; the schedule's next instant is minute 30. */
const CALM: RefreshFacts = {
  nowBootMs: 10 * MIN,
  file: "ours",
  halfLifeBootMs: 30 * MIN,
  expiresBootMs: 60 * MIN,
  scheduledBootMs: 30 * MIN,
  retryBootMs: null,
  isUnsettled: false,
  isAsked: false,
  marginMs: 5 * MIN,
};

const CASES: [string, Partial<RefreshFacts>, RefreshReason | number][] = [
  ["nothing to do until the schedule's instant", {}, 30],
  ["the schedule's instant", { nowBootMs: 30 * MIN }, "schedule"],
  ["long past the schedule's instant", { nowBootMs: 55 * MIN }, "schedule"],
  ["a start with good credentials", { isUnsettled: true }, 30],
  [
    "a start past their half-life",
    { isUnsettled: true, nowBootMs: 40 * MIN, scheduledBootMs: 55 * MIN },
    "past_half_life",
  ],
  [
    "past their half-life in calm: the schedule decides",
    { nowBootMs: 40 * MIN, scheduledBootMs: 50 * MIN },
    50,
  ],
  [
    "a start without a file",
    { isUnsettled: true, file: "missing", halfLifeBootMs: null, expiresBootMs: null },
    "missing",
  ],
  [
    "a start with a file of somebody else's",
    { isUnsettled: true, file: "foreign", halfLifeBootMs: null },
    "foreign",
  ],
  ["the file vanished", { file: "missing" }, "missing"],
  ["somebody wrote the file", { file: "foreign" }, "foreign"],
  ["an operator asks", { isAsked: true }, "asked"],
  ["an operator asks during an outage", { isAsked: true, retryBootMs: 99 * MIN }, "asked"],
  ["a failure, and the retry is not due", { retryBootMs: 11 * MIN }, 11],
  ["a failure, and the retry is due", { retryBootMs: 10 * MIN }, "retry"],
  [
    "a failure, the schedule's instant passes, the retry is not due",
    { nowBootMs: 30 * MIN, retryBootMs: 31 * MIN },
    31,
  ],
  [
    "a failure and a missing file: the backoff holds all the same",
    { file: "missing", retryBootMs: 11 * MIN },
    11,
  ],
  [
    "a failure, and the host wakes up past half-life",
    { isUnsettled: true, nowBootMs: 40 * MIN, retryBootMs: 99 * MIN },
    "past_half_life",
  ],
  ["the schedule is not known: half of the life is", { scheduledBootMs: null }, 30],
  [
    "the schedule is not known, half of the life is past",
    { scheduledBootMs: null, nowBootMs: 30 * MIN },
    "schedule",
  ],
  [
    "a schedule that would come after the expiry: half of the life decides",
    { scheduledBootMs: 70 * MIN },
    30,
  ],
  ["a schedule that leaves less than the margin", { scheduledBootMs: 56 * MIN }, 30],
  ["a schedule that leaves exactly the margin", { scheduledBootMs: 55 * MIN }, 55],
  [
    "nothing known but that the file is ours",
    { halfLifeBootMs: null, expiresBootMs: null, scheduledBootMs: null },
    Infinity,
  ],
];

describe("a refresh", () => {
  test.each(CASES)("%s", (_, changes, expected) => {
    const decision = decideRefresh({ ...CALM, ...changes });
    expect(decision).toEqual(
      typeof expected === "number" ? { refresh: null, untilBootMs: expected * MIN } : { refresh: expected },
    );
  });
});
