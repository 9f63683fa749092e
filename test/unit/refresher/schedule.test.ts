/** When the refreshes are: the cron expression, shifted for this host, on the test's clock. */
import { describe, expect, test } from "vitest";
import { nextRefreshes } from "../../../src/refresher/schedule.ts";
import { ScheduleKeeper } from "../../../src/refresher/schedule-keeper.ts";

const MIN = 60_000;
const AFTER = Date.parse("2026-11-22T10:01:00");
const minutes = (times: number[]) => times.map((time) => (time - AFTER) / MIN);
const half = (offsetMs: number) => ({ schedule: "*/30 * * * *", offsetMs });

describe("the next refreshes", () => {
  test.each([
    [0, [29, 59, 89]],
    [7 * MIN, [6, 36, 66]],
    [1 * MIN, [30, 60, 90]],
    [29.5 * MIN, [28.5, 58.5, 88.5]],
  ])("are shifted by %s ms, none of them missed", (offsetMs, expected) => {
    expect(minutes(nextRefreshes(half(offsetMs), AFTER, 3, 1))).toEqual(expected);
  });

  test("continue where they ended, without a gap or a repetition", () => {
    const all = nextRefreshes(half(7 * MIN), AFTER, 96, 1);
    const tail = nextRefreshes(half(7 * MIN), all[9] ?? 0, 5, 1);
    expect(tail).toEqual(all.slice(10, 15));
    expect(new Set(all.map((time, index) => time - (all[index - 1] ?? time - 30 * MIN)))).toEqual(
      new Set([30 * MIN]),
    );
  });

  test("come sixty times as fast under the time factor, offset included", () => {
    const times = nextRefreshes(half(7 * MIN), AFTER, 20, 60);
    const gaps = times.slice(1).map((time, index) => Math.round(time - (times[index] ?? 0)));
    expect(new Set(gaps)).toEqual(new Set([30_000]));
    expect(times[0]).toBeGreaterThan(AFTER);
    expect(times[0]).toBeLessThanOrEqual(AFTER + 30_000);
  });
});

describe("the instants that the service keeps", () => {
  const at = (wallMs: number) => ({ wallMs, bootMs: wallMs - 1_000, awakeMs: 0 });
  const keeper = (instants: number[], events: string[] = []) =>
    new ScheduleKeeper(instants, 100, {
      onPlanned: () => events.push("planned"),
      onError: () => events.push("error"),
    });

  test("are on the boot clock, and one that is past stays due until it is dealt with", () => {
    const schedule = keeper([50, 200, 300]);
    expect(schedule.nextBootMs(at(150))).toBe(-800);
    expect(schedule.nextBootMs(at(250))).toBe(-800);
    schedule.dealtWith(250);
    expect(schedule.nextBootMs(at(250))).toBe(-700);
    schedule.dealtWith(300);
    expect(schedule.nextBootMs(at(300))).toBeNull();
  });

  test("are worked out anew once at a time, and an error is told", async () => {
    const events: string[] = [];
    const schedule = keeper([], events);
    let calls = 0;
    const slow = async () => {
      calls += 1;
      return [500];
    };
    await Promise.all([schedule.plan(400, slow), schedule.plan(400, slow)]);
    expect([calls, schedule.nextBootMs(at(400)), events]).toEqual([1, -500, ["planned"]]);
    await schedule.plan(400, () => Promise.reject(new Error("x")));
    expect(events).toEqual(["planned", "error"]);
    expect(schedule.nextBootMs(at(400))).toBe(-500);
  });
});
