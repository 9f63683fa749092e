/**
 * The metrics, for node exporter's textfile collector: one table of what each is and how it follows from the status,
 * and the text made from it. docs/monitoring.md says the same to its reader, and a test holds the two together.
 *
 * Nothing in here changes by itself as time passes (expiry is an instant, not a remainder), so that the file is
 * written when something happened and at no other time. No secret is in it.
 */
import { FAILURE_KINDS } from "../failure.ts";
import type { Status } from "./status.ts";
import { RELOAD_REASONS, type Tally } from "./tally.ts";

export interface Metric {
  /** Without the prefix. */
  name: string;
  type: "gauge" | "counter";
  help: string;
  samples: (status: Status, tally: Tally) => Sample[];
}

type Sample = readonly [value: number, labels?: Readonly<Record<string, string>>];

export const PREFIX = "idc_helper_";

export const REFRESHER_STATES = ["starting", "fresh", "retrying", "expired", "stopped"] as const;
export const AGENT_STATES = [
  ...["running", "starting", "stopping", "stopped", "failed", "masked", "absent", "unknown"],
] as const;
export const CONFIG_STATES = ["matches", "repaired", "drifted", "missing", "unknown"] as const;
export const RELOAD_STATES = [
  ...["not_needed", "under_way", "done", "restarted", "deferred", "off", "failed", "not_running", "unknown"],
] as const;
export const WARNING_CODES = ["duration_not_allowed", "clock_skew"] as const;

export const METRICS: readonly Metric[] = [
  gauge("build_info", "The version that runs; always 1.", ({ version }) => [[1, { version }]]),
  gauge("host_info", "Who this host is to AWS; always 1.", ({ serial, region, session_arn }) => [
    [1, { serial, region, session_arn }],
  ]),
  gauge("running", "1 while the service runs; 0 once it was told to stop.", ({ state }) => [
    [state === "stopped" ? 0 : 1],
  ]),
  gauge("start_time_seconds", "When the service started, since the epoch.", ({ started_at }) =>
    instant(started_at),
  ),
  gauge("state", "1 for the state that the credentials are in, 0 for the others.", ({ state }) =>
    oneOf("state", REFRESHER_STATES, state),
  ),
  gauge(
    "credentials_expiry_timestamp_seconds",
    "When the credentials in the agent's file expire, since the epoch.",
    ({ credentials }) => instant(credentials?.expires_at),
  ),
  gauge(
    "credentials_in_place",
    "1 while the agent's file is the one that was written last; 0 once somebody else has written or removed it.",
    ({ credentials }) => [[credentials?.in_place ? 1 : 0]],
  ),
  counter("refreshes_total", "Refreshes that ended, by result and kind of failure.", (_, tally) => [
    [tally.issued, { result: "issued", kind: "none" }],
    ...FAILURE_KINDS.map((kind): Sample => [tally.failed.get(kind) ?? 0, { result: "failed", kind }]),
  ]),
  gauge("refresh_failures_in_a_row", "Failures since the last success.", (status) => [
    [status.failures_in_a_row],
  ]),
  gauge("refresh_failing", "1 for the kind of the last failure; absent while refreshes succeed.", (status) =>
    status.failure === null ? [] : [[1, { kind: status.failure.kind }]],
  ),
  gauge(
    "refresh_last_success_timestamp_seconds",
    "When the last refresh succeeded, since the epoch.",
    ({ last_success_at }) => instant(last_success_at),
  ),
  gauge(
    "refresh_next_timestamp_seconds",
    "When the next refresh is due, or began if one is under way, since the epoch.",
    ({ next_refresh_at, last_attempt }) => instant(next_refresh_at ?? last_attempt?.started_at),
  ),
  gauge("warning", "1 while the last refresh came with this warning.", ({ warnings }) =>
    WARNING_CODES.map((code) => [warnings.some((warning) => warning.code === code) ? 1 : 0, { code }]),
  ),
  gauge("config_rejected", "1 while a changed config file is wrong and not in force.", ({ config }) => [
    [config.rejected === null ? 0 : 1],
  ]),
  gauge("agent_state", "1 for the state that the CodeDeploy agent is in, 0 for the others.", ({ agent }) =>
    oneOf("state", AGENT_STATES, agent.state),
  ),
  gauge(
    "agent_config_state",
    "1 for what holds of the agent's on-premises config, 0 for the others.",
    ({ agent }) => oneOf("state", CONFIG_STATES, agent.config_match),
  ),
  counter(
    "agent_config_repairs_total",
    "Times that the agent's on-premises config was mended.",
    (_, tally) => [[tally.configRepairs]],
  ),
  gauge(
    "agent_must_load",
    "1 while the agent is still to load credentials that it must not be late for.",
    ({ agent }) => [[agent.must_load === null ? 0 : 1]],
  ),
  gauge("agent_reload_state", "1 for how it stands with the agent's reload, 0 for the others.", ({ agent }) =>
    oneOf("state", RELOAD_STATES, agent.reload),
  ),
  counter("agent_reloads_total", "Graceful reloads of the agent, by reason.", (_, tally) =>
    RELOAD_REASONS.map((reason) => [tally.reloads.get(reason) ?? 0, { reason }]),
  ),
  counter("agent_reload_deferrals_total", "Reloads that had to wait, for a deployment, say.", (_, tally) => [
    [tally.deferrals],
  ]),
  counter(
    "agent_restarts_total",
    "Restarts of the agent, after a graceful reload had brought nothing.",
    (_, tally) => [[tally.restarts]],
  ),
];

/** The whole file, in Prometheus' text format. */
export function renderMetrics(status: Status, tally: Tally): string {
  return METRICS.map((metric) => render(metric, metric.samples(status, tally))).join("");
}

function render({ name, type, help }: Metric, samples: readonly Sample[]): string {
  if (samples.length === 0) return "";
  const full = PREFIX + name;
  const lines = samples.map(([value, labels = {}]) => `${full}${labelText(labels)} ${value}\n`);
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join("")}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

/** Whole seconds: a schedule reckoned anew may differ by milliseconds, and that is no event. */
function instant(iso: string | null | undefined): Sample[] {
  return iso === null || iso === undefined ? [] : [[Math.round(Date.parse(iso) / 1_000)]];
}

/** Every state is there at all times: a series that comes and goes cannot be counted on. */
function oneOf(label: string, states: readonly string[], current: string): Sample[] {
  return states.map((state) => [state === current ? 1 : 0, { [label]: state }]);
}

function gauge(name: string, help: string, samples: Metric["samples"]): Metric {
  return { name, type: "gauge", help, samples };
}

function counter(name: string, help: string, samples: Metric["samples"]): Metric {
  return { name, type: "counter", help, samples };
}
