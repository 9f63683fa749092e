/** The journal: each problem a warning once, its end said, and nothing repeated every second. */
import { beforeEach, describe, expect, test } from "vitest";
import type { FailureKind } from "../../../src/failure.ts";
import { Announcer } from "../../../src/refresher/announcer.ts";
import type { RefreshWarning } from "../../../src/refresher/issue.ts";
import { createLog } from "../../../src/report/log.ts";
import { RECORD, sampleAnswer, sampleHealth, sampleStreak } from "./sample-health.ts";

interface Line {
  level: string;
  event: string;
  [field: string]: unknown;
}
let lines: Line[];
let announcer: Announcer;
beforeEach(() => {
  lines = [];
  announcer = new Announcer(
    createLog({ level: "debug", format: "json", write: (line) => lines.push(JSON.parse(line) as Line) }),
  );
});
const said = (from = "info") =>
  lines
    .splice(0)
    .filter(({ level }) => from === "debug" || level !== "debug")
    .map(({ level, event }) => `${level} ${event}`);

const fail = (kind: FailureKind, count: number) => {
  const streak = sampleStreak(kind, count);
  announcer.refreshed(
    { result: "failed", kind, message: "m", nextStep: "n" },
    streak,
    sampleHealth({ streak }),
  );
};
const succeed = (warnings: RefreshWarning[] = [], failures = 0) => {
  const outcome = {
    result: "issued" as const,
    issuedAt: "",
    expiresAt: RECORD.expiresAt,
    sessionArn: "",
    warnings,
  };
  announcer.refreshed(outcome, failures === 0 ? null : sampleStreak("denied", failures), sampleHealth());
};

describe("a failing refresh", () => {
  test("warns once however often it fails, and its end is said with how long it took", () => {
    for (let count = 1; count <= 50; count += 1) fail("unreachable", count);
    expect(lines[0]).toMatchObject({
      kind: "unreachable",
      message: "m",
      next_step: "n",
      failures: 1,
      retry_in: "4 s",
    });
    expect(said()).toEqual(["warn refresh_failed"]);
    succeed([], 50);
    expect(lines[0]).toMatchObject({ event: "refresh_recovered", after: "2 min", failures: 50 });
    expect(said()).toEqual(["info refresh_recovered"]);
    succeed();
    expect(said()).toEqual(["info refresh_succeeded"]);
  });

  test("warns again when the cause is another one, and after a recovery", () => {
    fail("unreachable", 1);
    fail("denied", 2);
    fail("denied", 3);
    succeed([], 3);
    fail("denied", 1);
    expect(said()).toEqual([
      "warn refresh_failed",
      "warn refresh_failed",
      "info refresh_recovered",
      "warn refresh_failed",
    ]);
  });
});

test("a warning beside a success is given once, until its text changes", () => {
  const warning = (message: string): RefreshWarning => ({ code: "clock_skew", message, nextStep: "" });
  succeed([warning("3 min")]);
  succeed([warning("3 min")]);
  succeed([warning("4 min")]);
  expect(said().filter((line) => line.startsWith("warn"))).toEqual(["warn clock_skew", "warn clock_skew"]);
});

describe("what is observed at every look is said when it changes", () => {
  const observe = (...healths: Parameters<typeof sampleHealth>[0][]) => {
    for (const changes of healths) announcer.observe(sampleHealth(changes));
    return said();
  };

  test("nothing but the agent's state while all is well", () => {
    expect(observe({}, {}, {})).toEqual(["info agent_running"]);
  });

  test("credentials that expired are one error, until new ones expire", () => {
    const streak = sampleStreak("denied", 3);
    const late = { nowBootMs: RECORD.expiresBootMs, streak };
    expect(observe({}, late, late, late)).toEqual(["info agent_running", "error credentials_expired"]);
    expect(observe({}, late)).toEqual(["error credentials_expired"]);
  });

  test("credentials that a boot finds expired are no error before they could not be replaced", () => {
    expect(observe({ nowBootMs: RECORD.expiresBootMs, streak: null })).toEqual(["info agent_running"]);
  });

  test("a file that is gone, or somebody else's", () => {
    observe({});
    expect(observe({ file: "missing" }, { file: "missing" }, {}, { file: "foreign" })).toEqual([
      "warn credentials_file_missing",
      "warn credentials_file_foreign",
    ]);
    expect(observe({ file: "missing", record: null })).toEqual([]);
  });

  test("a silent oneshot once, and again after it answered", () => {
    observe({});
    const silent = { unansweredWhy: "it does not answer" };
    expect(observe(silent, silent, {}, silent)).toEqual([
      "warn agent_sync_unanswered",
      "warn agent_sync_unanswered",
    ]);
  });

  test("an agent that was stopped and started", () => {
    observe({});
    const stopped = { answer: sampleAnswer({ agent: { state: "stopped" } }) };
    expect(observe(stopped, stopped, {})).toEqual(["warn agent_not_running", "info agent_running"]);
  });

  test("drift once, and a mending each time that it happens", () => {
    observe({});
    const drifted = { answer: sampleAnswer({ config: { state: "drifted" } }) };
    const repaired = (at: string) => ({ answer: sampleAnswer({ at, config: { state: "repaired" } }) });
    expect(observe(drifted, drifted, repaired("a"), repaired("a"), repaired("b"), {})).toEqual([
      "warn agent_config_drifted",
      "info agent_config_mended",
      "info agent_config_mended",
    ]);
  });

  test("a reload that waits is said once, not each minute, then that it is done", () => {
    observe({});
    const deferred = (at: string) => ({
      answer: sampleAnswer({ at, reload: { state: "deferred", causes: ["credentials"], detail: at } }),
    });
    const done = { answer: sampleAnswer({ reload: { state: "done", causes: ["credentials"] } }) };
    expect(observe(deferred("a"), deferred("b"), deferred("c"), done, done)).toEqual([
      "info agent_reload_deferred",
      "info agent_loaded",
    ]);
    const failed = { answer: sampleAnswer({ reload: { state: "failed" } }) };
    expect(observe(failed, failed)).toEqual(["warn agent_reload_failed"]);
  });
});

test("a status file that cannot be written is one warning until it can", () => {
  for (const error of ["ENOSPC", "ENOSPC", null, "ENOSPC"]) announcer.statusWritten("/s", error);
  expect(said()).toEqual(["warn status_not_written", "warn status_not_written"]);
});

test("a step of the clock is told in seconds", () => {
  announcer.clockChanged(-32_400_000, 0);
  expect(lines).toMatchObject([{ event: "clock_changed", stepped_s: -32_400 }]);
  expect(lines[0]).not.toHaveProperty("slept_s");
});
