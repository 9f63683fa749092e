/** The status as a person reads it, and the verdict as a monitoring plugin gives it. */
import { formatDuration } from "../config/duration.ts";
import { localDateTime } from "./local-time.ts";
import type { Status } from "./status.ts";

/** Monitoring-plugin convention: exit status and first word. */
export const VERDICTS = ["OK", "WARNING", "CRITICAL", "UNKNOWN"] as const;

export interface Verdict {
  /** Index into {@link VERDICTS}, which is the exit status. */
  level: 0 | 1 | 2 | 3;
  summary: string;
}

/** After a due refresh this long without a word from the service, it is not doing its work. */
const SILENT_AFTER_MS = 5 * 60_000;

export function judge(status: Status, isRunning: boolean, nowMs: number): Verdict {
  const left = status.credentials === null ? null : Date.parse(status.credentials.expires_at) - nowMs;
  if (left === null) {
    const why = status.failure === null ? "" : `: ${status.failure.message}`;
    return { level: 2, summary: `${status.serial} has no credentials yet${why}` };
  }
  if (left <= 0)
    return { level: 2, summary: `${status.serial}: the credentials expired ${formatDuration(-left)} ago` };
  const lasts = `${status.serial}: credentials last ${formatDuration(left)}`;
  if (!isRunning) return { level: 2, summary: `${lasts}, but idc-helper run is not running` };
  if (isSilent(status, nowMs))
    return { level: 2, summary: `${lasts}, but the service has not reported since ${status.updated_at}` };
  const problem = problemOf(status);
  if (problem !== null) return { level: 1, summary: `${lasts}; ${problem}` };
  return { level: 0, summary: lasts };
}

function isSilent({ next_refresh_at, updated_at }: Status, nowMs: number): boolean {
  const expected = Math.max(Date.parse(next_refresh_at ?? updated_at), Date.parse(updated_at));
  return nowMs - expected > SILENT_AFTER_MS;
}

function problemOf({
  failure,
  failures_in_a_row,
  agent,
  warnings,
  credentials,
  config,
}: Status): string | null {
  if (failure !== null) return `refresh failing (${failure.kind}, ${failures_in_a_row} in a row)`;
  if (credentials?.in_place === false) return "the credentials file was changed by somebody else";
  if (config.rejected !== null) return "the changed config file is wrong and not in force";
  if (agent.state !== "running" && agent.state !== "starting") return `the agent is ${agent.state}`;
  if (["drifted", "missing", "unknown"].includes(agent.config_match))
    return `the agent's config: ${agent.config_match}`;
  if (agent.reload === "failed") return "the agent could not be reloaded";
  if (agent.reload === "off") return "the agent waits for a reload by hand";
  return warnings[0] === undefined ? null : warnings[0].message;
}

export interface TextOptions {
  nowMs: number;
  isTerminal: boolean;
  /** How wide the terminal is. */
  columns?: number | undefined;
}

const COLOURS = [32, 33, 31, 35] as const;
const BAR_WIDTH = 30;
const LEAST_BAR_WIDTH = 5;
/** Of what stands before a value. */
const NAME_WIDTH = 15;

export function describeStatus(status: Status, verdict: Verdict, options: TextOptions): string {
  const { isTerminal } = options;
  const word = VERDICTS[verdict.level];
  const head = isTerminal ? `\x1b[1;${COLOURS[verdict.level]}m${word}\x1b[0m` : word;
  return [
    `${head} - ${verdict.summary}`,
    ...rows(status, options).map(([name, text]) => `  ${name.padEnd(13)}${text}`),
  ].join("\n");
}

function rows(status: Status, options: TextOptions): [string, string][] {
  const { nowMs } = options;
  const { credentials, failure, agent, config } = status;
  const found: [string, string][] = [["session", status.session_arn]];
  if (credentials) {
    found.push(["credentials", lifetime(credentials.issued_at, credentials.expires_at, options)]);
    found.push(["file", credentials.file]);
  }
  if (status.last_success_at) found.push(["last success", ago(status.last_success_at, nowMs)]);
  if (failure) {
    found.push([
      "failing",
      `${failure.kind}, ${status.failures_in_a_row} in a row since ${local(failure.since)}: ${failure.message}`,
    ]);
    found.push(["", failure.next_step]);
  }
  if (status.next_refresh_at)
    found.push([
      "next refresh",
      `${local(status.next_refresh_at)} (${until(status.next_refresh_at, nowMs)})`,
    ]);
  found.push(["agent", withDetail(agent.state, agent.detail)]);
  found.push(["agent config", withDetail(agent.config_match, agent.config_detail)]);
  found.push(["agent reload", reloadText(status)]);
  if (agent.next_step !== "") found.push(["", agent.next_step]);
  for (const { message, next_step } of status.warnings) found.push(["warning", message], ["", next_step]);
  if (config.rejected !== null)
    found.push(["config", `${config.file} is wrong; the old one is in force:`], ["", config.rejected]);
  return found;
}

function reloadText({ agent }: Status): string {
  const what = agent.reload.replaceAll("_", " ");
  const cause = agent.reload_for.length === 0 ? "" : ` for its ${agent.reload_for.join(" and ")}`;
  return withDetail(what + cause, agent.reload_detail);
}

/** On a terminal a bar shows how much of the session is left, as far as there is room for one. */
function lifetime(
  issuedAt: string,
  expiresAt: string,
  { nowMs, isTerminal, columns = 100 }: TextOptions,
): string {
  const issued = Date.parse(issuedAt);
  const expires = Date.parse(expiresAt);
  const words =
    expires > nowMs
      ? `last until ${local(expiresAt)} (${formatDuration(expires - nowMs)})`
      : `EXPIRED ${local(expiresAt)}`;
  const width = Math.min(BAR_WIDTH, columns - NAME_WIDTH - words.length - 1);
  if (!isTerminal || width < LEAST_BAR_WIDTH) return words;
  const share = Math.min(1, Math.max(0, (expires - nowMs) / (expires - issued)));
  const full = Math.round(share * width);
  const colour = share > 0.4 ? 32 : share > 0.15 ? 33 : 31;
  return `\x1b[${colour}m${"█".repeat(full)}\x1b[90m${"░".repeat(width - full)}\x1b[0m ${words}`;
}

function withDetail(text: string, detail: string): string {
  return detail === "" ? text : `${text} (${detail})`;
}

function ago(iso: string, nowMs: number): string {
  return `${local(iso)} (${formatDuration(Math.max(0, nowMs - Date.parse(iso)))} ago)`;
}

function until(iso: string, nowMs: number): string {
  const left = Date.parse(iso) - nowMs;
  return left > 0 ? `in ${formatDuration(left)}` : "now";
}

const local = (iso: string): string => localDateTime(new Date(iso));
