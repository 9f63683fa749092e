/**
 * What the supervisor knows, put into words: the status file, systemd's STATUS line, and one log line for each
 * change of state. A problem is a warning once, however often it recurs.
 */
import type { SyncAnswer } from "../agent/exchange.ts";
import { sessionArn } from "../aws/arn.ts";
import type { Config } from "../config/config.ts";
import { formatDuration } from "../config/duration.ts";
import type { FileState, RefreshRecord } from "../credentials/record.ts";
import { type AgentStatus, type RefresherState, STATUS_SCHEMA, type Status } from "../report/status.ts";
import { VERSION } from "../version.ts";
import type { Attempt, FailureStreak } from "./attempts.ts";
import type { RefreshWarning } from "./issue.ts";
import type { MustLoad } from "./pickup.ts";

/** Everything that a report is made of. Times are wall-clock milliseconds unless their name says otherwise. */
export interface Health {
  nowMs: number;
  nowBootMs: number;
  startedAtMs: number;
  config: Config;
  configLoadedAtMs: number;
  configRejected: string | null;
  record: RefreshRecord | null;
  expiresBootMs: number | null;
  file: FileState;
  attempt: Attempt | null;
  streak: FailureStreak | null;
  nextRefreshAtMs: number | null;
  warnings: RefreshWarning[];
  answer: SyncAnswer | null;
  unansweredWhy: string | null;
  mustLoad: MustLoad | null;
  isStopped: boolean;
}

export function refresherState(health: Health): RefresherState {
  if (health.isStopped) return "stopped";
  const hasFile = health.record !== null && health.file !== "missing";
  const isExpired = health.expiresBootMs !== null && health.nowBootMs >= health.expiresBootMs;
  if (hasFile && isExpired) return "expired";
  if (health.streak !== null) return hasFile ? "retrying" : "expired";
  return hasFile && health.file === "ours" ? "fresh" : "starting";
}

export function statusOf(health: Health): Status {
  const { config, record, attempt, streak } = health;
  return {
    schema: STATUS_SCHEMA,
    version: VERSION,
    updated_at: iso(health.nowMs),
    pid: process.pid,
    started_at: iso(health.startedAtMs),
    serial: config.serial,
    region: config.region,
    role_arn: config.roleArn,
    session_arn: sessionArn(config.roleArn, config.serial) ?? "",
    state: refresherState(health),
    credentials: record && {
      file: config.credentialsFile.path,
      issued_at: record.issuedAt,
      expires_at: record.expiresAt,
      in_place: health.file === "ours",
    },
    last_attempt: attempt && {
      number: attempt.number,
      reason: attempt.reason,
      started_at: iso(attempt.startedAtMs),
      finished_at: isoOrNull(attempt.finishedAtMs),
      result: attempt.result,
    },
    last_success_at: record?.issuedAt ?? null,
    failures_in_a_row: streak?.count ?? 0,
    failure: streak && {
      kind: streak.last.kind,
      message: streak.last.message,
      next_step: streak.last.nextStep,
      since: iso(streak.sinceMs),
    },
    next_refresh_at: isoOrNull(health.nextRefreshAtMs),
    warnings: health.warnings.map(({ code, message, nextStep }) => ({ code, message, next_step: nextStep })),
    agent: agentStatus(health),
    config: {
      file: config.configFile,
      loaded_at: iso(health.configLoadedAtMs),
      rejected: health.configRejected,
    },
  };
}

function agentStatus({ answer, unansweredWhy, mustLoad, nowMs, nowBootMs }: Health): AgentStatus {
  // To the second: the two clocks are not read at the same instant, and what has not changed should not look so.
  const wall = (bootMs: number) => iso(Math.round((nowMs + bootMs - nowBootMs) / 1_000) * 1_000);
  return {
    answered_at: answer?.at ?? null,
    state: unansweredWhy === null ? (answer?.agent.state ?? "unknown") : "unknown",
    detail: unansweredWhy ?? answer?.agent.detail ?? "not asked yet",
    worker_pid: answer?.agent.workerPid ?? null,
    config_match: answer?.config.state ?? "unknown",
    config_detail: answer === null ? "" : configDetail(answer),
    reload: answer?.reload.state ?? "unknown",
    reload_for: answer?.reload.causes ?? [],
    reload_detail: answer?.reload.detail ?? "",
    next_step: unansweredWhy === null ? (answer?.reload.nextStep ?? "") : ONESHOT_STEP,
    pickup_window_seconds: answer === null ? null : answer.pickupWindowMs / 1_000,
    must_load: mustLoad && {
      since: wall(mustLoad.sinceBootMs),
      reason: mustLoad.reason,
      lapses_at: wall(mustLoad.lapsesBootMs),
    },
  };
}

export const ONESHOT_STEP =
  "Run: systemctl status idc-codedeploy-helper-agent.path idc-codedeploy-helper-agent.service";

function configDetail({ config }: SyncAnswer): string {
  const changes = config.differences.map(
    ({ key, found, wanted }) =>
      `${key} was ${found ?? "missing"}, ${wanted === null ? "must not be there" : `wanted ${wanted}`}`,
  );
  return [config.detail, ...changes].filter(Boolean).join("; ");
}

/** systemd shows it in `systemctl status`: what an operator wants to know first. */
export function statusLine(health: Health): string {
  const { record, streak, expiresBootMs, nowBootMs, nextRefreshAtMs } = health;
  const left = expiresBootMs === null ? 0 : expiresBootMs - nowBootMs;
  const lasts =
    record === null
      ? "No credentials yet"
      : left <= 0
        ? `Credentials EXPIRED ${formatDuration(-left)} ago`
        : `Credentials last until ${clock(Date.parse(record.expiresAt))} (${formatDuration(left)})`;
  const next = nextRefreshAtMs === null ? "" : `, next refresh ${clock(nextRefreshAtMs)}`;
  if (streak === null) return `${lasts}${next}${agentWords(health)}`;
  return `${lasts}; refresh failing (${streak.last.kind}): ${streak.last.message}${next === "" ? "" : `; next attempt ${clock(nextRefreshAtMs ?? 0)}`}`;
}

function agentWords({ answer, unansweredWhy }: Health): string {
  if (unansweredWhy !== null) return "; the agent's state is not known";
  if (answer === null) return "";
  if (answer.agent.state !== "running") return `; the agent is ${answer.agent.state}`;
  if (answer.reload.state === "deferred") return "; reload of the agent deferred";
  return answer.reload.state === "failed" ? "; reload of the agent FAILED" : "";
}

/** Without Intl, whose tables a process that only waits would hold for ever. */
function clock(wallMs: number): string {
  const time = new Date(wallMs);
  return [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}

function iso(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

function isoOrNull(wallMs: number | null): string | null {
  return wallMs === null || !Number.isFinite(wallMs) ? null : iso(wallMs);
}
