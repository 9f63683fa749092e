/** The metrics: what Prometheus is told, that the documentation says the same, and that counting is right. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ConfigState, ReloadState } from "../../../src/agent/exchange.ts";
import type { ServiceState } from "../../../src/agent/service.ts";
import { FAILURE_KINDS } from "../../../src/failure.ts";
import type { RefreshWarning } from "../../../src/refresher/issue.ts";
import {
  type AGENT_STATES,
  type CONFIG_STATES,
  METRICS,
  PREFIX,
  type REFRESHER_STATES,
  type RELOAD_STATES,
  renderMetrics,
  type WARNING_CODES,
} from "../../../src/report/metrics.ts";
import type { RefresherState, Status } from "../../../src/report/status.ts";
import { Tally } from "../../../src/report/tally.ts";
import {
  documentedMetrics,
  documentedValues,
  metricValue,
  parseMetrics,
} from "../../harness/metrics-text.ts";
import { minutesFromNow, NOW_MS, sampleFailure, sampleStatus } from "./sample-status.ts";

/** The compiler refuses this file when a state is added to the program and not to the metrics. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
const COMPLETE: [
  Same<ServiceState, (typeof AGENT_STATES)[number]>,
  Same<ConfigState, (typeof CONFIG_STATES)[number]>,
  Same<ReloadState | "unknown", (typeof RELOAD_STATES)[number]>,
  Same<RefresherState, (typeof REFRESHER_STATES)[number]>,
  Same<RefreshWarning["code"], (typeof WARNING_CODES)[number]>,
] = [true, true, true, true, true];

const PAGE = readFileSync(new URL("../../../docs/monitoring.md", import.meta.url), "utf8");
const rendered = (changes: Partial<Status> = {}, tally = new Tally()) =>
  renderMetrics(sampleStatus(changes), tally);
const agent = (changes: Partial<Status["agent"]>) => ({ ...sampleStatus().agent, ...changes });

/** Everything that is ever written: what is absent at times is there while refreshes fail. */
const EVERYTHING = parseMetrics(rendered(sampleFailure()));

describe("docs/monitoring.md", () => {
  const documented = documentedMetrics(PAGE);

  test("has every metric with its type, labels and meaning, and none that is gone", () => {
    const written = [...EVERYTHING].map(([name, { type, help, series }]) => {
      const [labels = ""] = series.keys();
      return [name, { type, help, labels: [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label) }];
    });
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(written));
  });

  test.each(METRICS.flatMap(({ name }) => (/state$|^warning$/.test(name) ? [name] : [])))(
    "lists each value of the label of %s",
    (name) => {
      const label = name === "warning" ? "code" : "state";
      const series = EVERYTHING.get(PREFIX + name)?.series.keys() ?? [];
      const values = [...series].map((labels) => /="(.*)"/.exec(labels)?.[1]);
      expect(documentedValues(PAGE, PREFIX + name, label)).toEqual(values);
    },
  );
});

describe("what is written", () => {
  test("has names and units by Prometheus' conventions", () => {
    expect(COMPLETE).not.toContain(false);
    for (const [name, { type, help }] of EVERYTHING) {
      expect(name).toMatch(/^idc_helper_[a-z][a-z_]*[a-z]$/);
      expect(name.endsWith("_total"), name).toBe(type === "counter");
      expect(help).toMatch(/\.$/);
    }
  });

  test("has one series for each result and kind, also for what has never happened", () => {
    const series = EVERYTHING.get("idc_helper_refreshes_total")?.series;
    expect([...(series?.keys() ?? [])]).toEqual([
      '{result="issued",kind="none"}',
      ...FAILURE_KINDS.map((kind) => `{result="failed",kind="${kind}"}`),
    ]);
  });

  test("is the same text while nothing happens, whatever time it is", () => {
    const before = rendered({ next_refresh_at: "2026-11-22T10:45:00.001Z" });
    const later = { next_refresh_at: "2026-11-22T10:45:00.499Z", updated_at: minutesFromNow(9) };
    expect(rendered(later)).toBe(before);
  });

  test("says when things were or will be in seconds since the epoch", () => {
    const text = rendered();
    const inMinutes = (minutes: number) => NOW_MS / 1_000 + minutes * 60;
    expect(metricValue(text, "credentials_expiry_timestamp_seconds")).toBe(inMinutes(45));
    expect(metricValue(text, "refresh_last_success_timestamp_seconds")).toBe(inMinutes(-15));
    expect(metricValue(text, "refresh_next_timestamp_seconds")).toBe(inMinutes(15));
    expect(metricValue(text, "start_time_seconds")).toBe(inMinutes(-600));
  });

  test("has no expiry before there are credentials: 0 would be 1970", () => {
    const text = rendered({ credentials: null, last_success_at: null, state: "starting" });
    expect(metricValue(text, "credentials_expiry_timestamp_seconds")).toBeUndefined();
    expect(metricValue(text, "credentials_in_place")).toBe(0);
    expect(text).not.toContain("NaN");
  });

  test("while a refresh is under way, says when it began: one that never ends must be noticed", () => {
    const last_attempt = { ...sampleStatus().last_attempt, started_at: minutesFromNow(-1) };
    const status = { next_refresh_at: null, last_attempt } as Partial<Status>;
    expect(metricValue(rendered(status), "refresh_next_timestamp_seconds")).toBe(NOW_MS / 1_000 - 60);
  });

  test("names what fails, and stops naming it when it has ended", () => {
    expect(metricValue(rendered(sampleFailure("denied")), 'refresh_failing{kind="denied"}')).toBe(1);
    expect(metricValue(rendered(sampleFailure("denied")), "refresh_failures_in_a_row")).toBe(3);
    expect(rendered()).not.toContain("idc_helper_refresh_failing");
  });

  test("is 0 for running after a stop, and 1 before", () => {
    expect(metricValue(rendered(), "running")).toBe(1);
    expect(metricValue(rendered({ state: "stopped" }), "running")).toBe(0);
  });

  test("a label's value cannot break out of its quotes", () => {
    const text = rendered({ serial: 'a"} 1\nidc_helper_running 0 \\' });
    expect(metricValue(text, "running")).toBe(1);
    expect(text).toContain('serial="a\\"} 1\\nidc_helper_running 0 \\\\"');
  });
});

describe("what is counted", () => {
  const at = (minutes: number, changes: Partial<Status["agent"]>) =>
    sampleStatus({ agent: agent({ answered_at: minutesFromNow(minutes), ...changes }) });
  const reloads = (tally: Tally, reason: string) =>
    metricValue(rendered({}, tally), `agent_reloads_total{reason="${reason}"}`);

  test("refreshes, by result and kind", () => {
    const tally = new Tally();
    for (const kind of ["denied", "timeout", "denied"]) tally.refreshed({ result: "failed", kind });
    tally.refreshed({ result: "issued" });
    const text = rendered({}, tally);
    expect(metricValue(text, 'refreshes_total{result="issued",kind="none"}')).toBe(1);
    expect(metricValue(text, 'refreshes_total{result="failed",kind="denied"}')).toBe(2);
    expect(metricValue(text, 'refreshes_total{result="failed",kind="tls"}')).toBe(0);
  });

  test("a reload once, however often its answer is looked at", () => {
    const tally = new Tally();
    const done = at(-1, { reload: "done", reload_for: ["credentials"] });
    for (let look = 0; look < 5; look += 1) tally.observe(done);
    expect(reloads(tally, "credentials")).toBe(1);
    tally.observe(at(0, { reload: "done", reload_for: ["credentials", "config"] }));
    expect(reloads(tally, "both")).toBe(1);
    expect(reloads(tally, "credentials")).toBe(1);
  });

  test("a reload that took its time under what it was for, which its last answer does not say", () => {
    const tally = new Tally();
    tally.observe(at(-3, { reload: "under_way", reload_for: ["config"] }));
    tally.observe(at(-2, { reload: "under_way", reload_for: [] }));
    tally.observe(at(-1, { reload: "done", reload_for: [] }));
    expect(reloads(tally, "config")).toBe(1);
    tally.observe(at(0, { reload: "done", reload_for: [] }));
    expect(reloads(tally, "unknown")).toBe(1);
  });

  test("nothing that was done before this process started", () => {
    const tally = new Tally();
    tally.observe(at(-601, { reload: "done", reload_for: ["credentials"], config_match: "repaired" }));
    expect(reloads(tally, "credentials")).toBe(0);
    expect(tally.configRepairs).toBe(0);
  });

  test("a wait once, however often it is asked for again, and the next one anew", () => {
    const tally = new Tally();
    const answers = ["deferred", "deferred", "done", "deferred"];
    answers.forEach((reload, index) => {
      tally.observe(at(index - 5, { reload, reload_for: ["credentials"] }));
    });
    expect(metricValue(rendered({}, tally), "agent_reload_deferrals_total")).toBe(2);
  });

  test("repairs of the agent's config, and restarts", () => {
    const tally = new Tally();
    tally.observe(at(-2, { config_match: "repaired", reload: "restarted" }));
    const text = rendered({}, tally);
    expect(metricValue(text, "agent_config_repairs_total")).toBe(1);
    expect(metricValue(text, "agent_restarts_total")).toBe(1);
  });
});
