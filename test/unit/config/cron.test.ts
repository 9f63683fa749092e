/** The cadence: when the next refresh is, and how long it may be until the one after. */
import { describe, expect, test } from "vitest";
import { parseCron } from "../../../src/config/cron.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function parsed(expression: string) {
  const cron = parseCron(expression);
  if ("error" in cron) throw new Error(cron.error);
  return cron;
}

describe("the longest and shortest time between two matches", () => {
  test.each([
    ["*/30 * * * *", 30 * MINUTE_MS, 30 * MINUTE_MS],
    ["* * * * *", MINUTE_MS, MINUTE_MS],
    ["*/7 * * * *", 7 * MINUTE_MS, 4 * MINUTE_MS],
    ["0,50 * * * *", 50 * MINUTE_MS, 10 * MINUTE_MS],
    ["50,0 * * * *", 50 * MINUTE_MS, 10 * MINUTE_MS],
    ["0 * * * *", HOUR_MS, HOUR_MS],
    ["0 */5 * * *", 5 * HOUR_MS, 4 * HOUR_MS],
    ["15 3 * * *", DAY_MS, DAY_MS],
    ["0 9-17 * * *", 16 * HOUR_MS, HOUR_MS],
    ["*/30 * * * 0-6", 30 * MINUTE_MS, 30 * MINUTE_MS],
    ["*/30 * * * 1-7", 30 * MINUTE_MS, 30 * MINUTE_MS],
    ["*/30 * 1-31 1-12 MON-SUN", 30 * MINUTE_MS, 30 * MINUTE_MS],
    ["*/30 * * * 1-5", Infinity, 30 * MINUTE_MS],
    ["*/30 * 1-30 * *", Infinity, 30 * MINUTE_MS],
    ["*/30 * * 1-11 *", Infinity, 30 * MINUTE_MS],
    ["*/20 * * * * *", 20_000, 20_000],
    ["30,10 * * * * *", 40_000, 20_000],
    ["* * * * * *", 1_000, 1_000],
  ])("%s", (expression, longestGapMs, shortestGapMs) => {
    expect(parsed(expression)).toMatchObject({ longestGapMs, shortestGapMs });
  });
});

describe("the next match is strictly after the instant, in local time", () => {
  test.each([
    ["*/30 * * * *", "2026-11-22T10:00:05", "2026-11-22T10:30:00"],
    ["*/30 * * * *", "2026-11-22T10:30:00", "2026-11-22T11:00:00"],
    ["*/30 * * * *", "2026-11-22T10:29:59.999", "2026-11-22T10:30:00"],
    ["*/30 * * * *", "2026-11-22T23:45:00", "2026-11-23T00:00:00"],
    ["*/30 * * * *", "2026-12-31T23:45:00", "2027-01-01T00:00:00"],
    ["5 * * * *", "2026-11-22T10:05:01", "2026-11-22T11:05:00"],
    ["0 4 * * *", "2026-11-22T04:00:00", "2026-11-23T04:00:00"],
    ["0 4 1 3 *", "2028-02-28T12:00:00", "2028-03-01T04:00:00"],
    ["0 4 * * 1", "2026-11-22T12:00:00", "2026-11-23T04:00:00"],
    ["*/20 * * * * *", "2026-11-22T10:00:05", "2026-11-22T10:00:20"],
    ["*/20 * * * * *", "2026-11-22T10:00:40", "2026-11-22T10:01:00"],
    ["30,10 * * * * *", "2026-11-22T10:00:05", "2026-11-22T10:00:10"],
    ["15 30 10 * * *", "2026-11-22T10:30:00", "2026-11-22T10:30:15"],
  ])("%s after %s", (expression, after, expected) => {
    const next = parsed(expression).nextAfter(Date.parse(after));
    expect(next === null ? null : new Date(next)).toEqual(new Date(expected));
  });

  test("and null for one that is more than two days off", () => {
    expect(parsed("0 0 1 1 *").nextAfter(Date.parse("2026-06-01T00:00:00"))).toBeNull();
  });

  test("and a day's walk from match to match visits every one, in order", () => {
    const cron = parsed("*/7 */3 * * *");
    const start = Date.parse("2026-11-22T00:00:00") - 1;
    const times: number[] = [];
    for (let at = cron.nextAfter(start); at !== null && at <= start + DAY_MS; at = cron.nextAfter(at))
      times.push(at);
    expect(times).toHaveLength(8 * 9);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

describe("nonsense is refused with the field that is wrong", () => {
  test.each([
    ["", "it has 1 field"],
    ["* * * *", "it has 4 fields"],
    ["* * * * * * *", "it has 7 fields"],
    ["@hourly", "it has 1 field"],
    ["60 * * * *", "minute: 60"],
    ["* 24 * * *", "hour: 24"],
    ["* * 0 * *", "dayOfMonth: 0"],
    ["* * * 13 *", "month: 13"],
    ["* * * * 8", "dayOfWeek: 8"],
    ["60 * * * * *", "second: 60"],
    ["*/0 * * * *", "minute: */0"],
    ["-1 * * * *", "minute: -1"],
    ["0 0 31 2 *", "impossible day of month"],
    ["a b c d e", "hour: b"],
  ])("%j", (expression, message) => {
    const cron = parseCron(expression);
    expect("error" in cron ? cron.error : "accepted").toContain(message);
  });
});
