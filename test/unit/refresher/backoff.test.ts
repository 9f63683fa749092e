/** How soon it is tried again: soon enough to be there when the fault ends, rarely enough to be no load. */
import { describe, expect, test } from "vitest";
import { FAILURE_KINDS, type FailureKind } from "../../../src/failure.ts";
import { Attempts } from "../../../src/refresher/attempts.ts";
import { backoffDelayMs } from "../../../src/refresher/backoff.ts";

const failure = (kind: FailureKind, retryAfterMs?: number) => ({
  kind,
  message: "m",
  nextStep: "n",
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

const inARow = (count: number) => ({ failuresInARow: count, throttledInARow: count });

const PERSON = new Set<FailureKind>([
  "base_credentials_missing",
  "base_credentials_invalid",
  "base_credentials_expired",
  "denied",
  "role_or_duration_not_allowed",
  "config",
  "cloned_machine",
]);

describe("the delay after the first, the third and the hundredth failure in a row", () => {
  test.each(FAILURE_KINDS)("%s", (kind) => {
    const longest = PERSON.has(kind)
      ? [300_000, 300_000, 300_000]
      : kind === "throttled"
        ? [10_000, 40_000, 40_000]
        : [1_000, 4_000, 40_000];
    const steps = [1, 3, 100];
    expect(
      steps.map((count) => backoffDelayMs(failure(kind), { ...inARow(count), random: 1, remainingMs: null })),
    ).toEqual(longest);
    expect(
      steps.map((count) => backoffDelayMs(failure(kind), { ...inARow(count), random: 0, remainingMs: null })),
    ).toEqual(longest.map((ms) => ms / 2));
  });

  test("never shrinks from one failure to the next, and stays finite for ever", () => {
    for (const kind of FAILURE_KINDS) {
      const delays = Array.from({ length: 2_000 }, (_, index) =>
        backoffDelayMs(failure(kind), { ...inARow(index + 1), random: 1, remainingMs: null }),
      );
      expect(delays).toEqual([...delays].sort((a, b) => a - b));
      expect(Number.isFinite(delays.at(-1))).toBe(true);
    }
  });
});

describe("while the agent holds credentials that run out", () => {
  test.each([
    ["denied", 4 * 60_000, 60_000],
    ["throttled", 4 * 60_000, 10_000],
    ["throttled", 15 * 60_000, 30_000],
    ["throttled", 30 * 60_000, 120_000],
    ["throttled", 11 * 3_600_000, 120_000],
    ["denied", 60_000, 40_000],
    ["denied", 3_600_000, 300_000],
    ["denied", -1, 40_000],
    ["throttled", -86_400_000, 40_000],
    ["base_credentials_expired", 0, 40_000],
    ["cloned_machine", -1, 300_000],
    ["config", 60_000, 300_000],
    ["unreachable", 60_000, 40_000],
  ] as const)(
    "a refresh that fails as %s with %s ms left is tried again within %s ms",
    (kind, remainingMs, delay) => {
      expect(backoffDelayMs(failure(kind), { ...inARow(100), random: 1, remainingMs })).toBe(delay);
    },
  );
});

describe("after an outage, a throttled host", () => {
  test.each([
    [1, 10_000],
    [2, 30_000],
    [3, 90_000],
    [4, 120_000],
  ])("steps back from the beginning: after %s throttled answers %s ms", (throttledInARow, delay) => {
    const facts = { failuresInARow: 40, throttledInARow, random: 1, remainingMs: 30 * 60_000 };
    expect(backoffDelayMs(failure("throttled"), facts)).toBe(delay);
  });
});

describe("a server that asks us to stay away", () => {
  test.each([
    [100, 500],
    [30_000, 30_000],
    [599_000, 599_000],
    [86_400_000, 600_000],
  ])("for %s ms is heard: %s ms", (retryAfterMs, delay) => {
    expect(
      backoffDelayMs(failure("server_error", retryAfterMs), {
        ...inARow(1),
        random: 0,
        remainingMs: null,
      }),
    ).toBe(delay);
  });
});

describe("failures in a row", () => {
  const child = { outcome: new Promise<never>(() => undefined), kill: () => undefined };
  const at = (bootMs: number) => ({ wallMs: bootMs + 1_000_000, bootMs, awakeMs: bootMs });
  const failed = { result: "failed" as const, ...failure("unreachable") };
  const issued = { result: "issued" as const, issuedAt: "", expiresAt: "", sessionArn: "", warnings: [] };

  test("are counted from their first, with a later retry each, until a success ends them", () => {
    const attempts = new Attempts(1, () => 1);
    for (const [index, delay] of [1_000, 2_000, 4_000].entries()) {
      attempts.begin(child, "schedule", at(index));
      expect(attempts.last).toMatchObject({ number: index + 1, result: null });
      const streak = attempts.end(failed, at(index), null);
      expect(streak).toMatchObject({ count: index + 1, sinceMs: 1_000_000, retryBootMs: index + delay });
    }
    attempts.begin(child, "retry", at(9_000));
    expect(attempts.end(issued, at(9_100), null)).toMatchObject({ count: 3, sinceMs: 1_000_000 });
    expect(attempts.streak).toBeNull();
    expect(attempts.last).toMatchObject({
      number: 4,
      reason: "retry",
      result: "issued",
      finishedAtMs: 1_009_100,
    });
  });

  test("count throttled answers apart, from the first after something else", () => {
    const attempts = new Attempts(1, () => 1);
    const throttled = { ...failed, kind: "throttled" as const };
    const counts = [failed, failed, throttled, throttled, failed, throttled].map(
      (outcome, index) => attempts.end(outcome, at(index), null)?.throttled,
    );
    expect(counts).toEqual([0, 0, 1, 2, 0, 1]);
  });

  test("are retried sooner under the time factor", () => {
    const attempts = new Attempts(10, () => 1);
    expect(attempts.end(failed, at(0), null)?.retryBootMs).toBe(100);
  });
});
