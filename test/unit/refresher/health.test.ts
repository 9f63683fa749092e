/** What the supervisor knows, as the status file and systemd tell it. */
import { describe, expect, test } from "vitest";
import {
  type Health,
  ONESHOT_STEP,
  refresherState,
  statusLine,
  statusOf,
} from "../../../src/refresher/health.ts";
import { judge } from "../../../src/report/status-text.ts";
import { MIN, NOW_MS, RECORD, sampleAnswer, sampleHealth, sampleStreak } from "./sample-health.ts";

const EXPIRED: Partial<Health> = { nowBootMs: RECORD.expiresBootMs + 90 * MIN };
const NOTHING: Partial<Health> = { record: null, expiresBootMs: null, file: "missing" };

const CASES: [string, Partial<Health>, string, string][] = [
  ["all is well", {}, "fresh", "Credentials last until"],
  ["nothing yet", NOTHING, "starting", "No credentials yet"],
  [
    "nothing, and failing",
    { ...NOTHING, streak: sampleStreak("denied") },
    "expired",
    "No credentials yet; refresh failing (denied): m",
  ],
  [
    "failing, with good credentials",
    { streak: sampleStreak("unreachable") },
    "retrying",
    "(45 min); refresh failing (unreachable): m; next attempt",
  ],
  [
    "failing, and expired",
    { ...EXPIRED, streak: sampleStreak("timeout") },
    "expired",
    "Credentials EXPIRED 1 h 30 min ago; refresh failing",
  ],
  ["the file vanished", { file: "missing" }, "starting", "Credentials last"],
  ["somebody wrote the file", { file: "foreign" }, "starting", "Credentials last"],
  ["stopped", { isStopped: true }, "stopped", ""],
  [
    "no answer from the oneshot",
    { unansweredWhy: "it does not answer" },
    "fresh",
    "; the agent's state is not known",
  ],
  [
    "the agent stopped",
    { answer: sampleAnswer({ agent: { state: "stopped" } }) },
    "fresh",
    "; the agent is stopped",
  ],
  [
    "a reload deferred",
    { answer: sampleAnswer({ reload: { state: "deferred" } }) },
    "fresh",
    "; reload of the agent deferred",
  ],
  [
    "a reload failed",
    { answer: sampleAnswer({ reload: { state: "failed" } }) },
    "fresh",
    "; reload of the agent FAILED",
  ],
];

describe("the state, and systemd's status line", () => {
  test.each(CASES)("%s", (_, changes, state, words) => {
    const health = sampleHealth(changes);
    expect(refresherState(health)).toBe(state);
    expect(statusLine(health)).toContain(words);
    expect(statusLine(health)).not.toContain("\n");
  });
});

describe("the status file", () => {
  test("tells what an operator asks first, and the verdict on it is OK", () => {
    const status = statusOf(sampleHealth());
    expect(status).toMatchObject({
      serial: "SN-1",
      session_arn: RECORD.sessionArn,
      state: "fresh",
      credentials: { expires_at: RECORD.expiresAt, in_place: true },
      last_attempt: { number: 7, reason: "schedule", result: "issued" },
      last_success_at: RECORD.issuedAt,
      failures_in_a_row: 0,
      failure: null,
      next_refresh_at: new Date(NOW_MS + 15 * MIN).toISOString(),
      agent: {
        state: "running",
        worker_pid: 812,
        config_match: "matches",
        reload: "not_needed",
        pickup_window_seconds: 1_680,
      },
    });
    expect(judge(status, true, NOW_MS).level).toBe(0);
  });

  test("tells of a failure with its kind, its start and the next step", () => {
    expect(statusOf(sampleHealth({ streak: sampleStreak("denied") }))).toMatchObject({
      failures_in_a_row: 3,
      failure: {
        kind: "denied",
        message: "m",
        next_step: "n",
        since: new Date(NOW_MS - 2 * MIN).toISOString(),
      },
    });
  });

  test("does not pass off an old answer as the agent's state once the oneshot is silent", () => {
    const { agent } = statusOf(sampleHealth({ unansweredWhy: "the root oneshot does not answer" }));
    expect(agent).toMatchObject({
      state: "unknown",
      detail: "the root oneshot does not answer",
      next_step: ONESHOT_STEP,
    });
  });

  test("says what the agent is still to load, and by when it will have done so by itself", () => {
    const nowBootMs = sampleHealth().nowBootMs;
    const mustLoad = {
      sinceBootMs: nowBootMs - 5 * MIN,
      reason: "first_or_unknown" as const,
      lapsesBootMs: nowBootMs + 23 * MIN,
    };
    expect(statusOf(sampleHealth({ mustLoad })).agent.must_load).toEqual({
      since: new Date(NOW_MS - 5 * MIN).toISOString(),
      reason: "first_or_unknown",
      lapses_at: new Date(NOW_MS + 23 * MIN).toISOString(),
    });
  });

  test("shows each difference of the agent's config", () => {
    const differences = [
      { key: "region", found: "us-east-1", wanted: "ap-northeast-2" },
      { key: "iam_session_arn", found: null, wanted: "arn" },
      { key: "iam_user_arn", found: "user", wanted: null },
    ];
    const { agent } = statusOf(
      sampleHealth({ answer: sampleAnswer({ config: { state: "drifted", detail: "d", differences } }) }),
    );
    expect(agent.config_detail).toBe(
      "d; region was us-east-1, wanted ap-northeast-2; iam_session_arn was missing, wanted arn; iam_user_arn was user, must not be there",
    );
  });

  test("is JSON to the end even before anything is known", () => {
    const bare = sampleHealth({ ...NOTHING, attempt: null, nextRefreshAtMs: Infinity, answer: null });
    expect(statusOf(bare)).toMatchObject({
      credentials: null,
      last_attempt: null,
      next_refresh_at: null,
      agent: { state: "unknown", answered_at: null },
    });
  });
});
