/**
 * Statement (2) of sync: a running agent's worker has loaded what it must. Decides whether to reload now, later
 * or not at all; never while a lifecycle event is in progress, and never twice in five minutes.
 */
import type { Config } from "../config/config.ts";
import { formatDuration } from "../config/duration.ts";
import { readClock } from "../host/clock.ts";
import { scaled, scaledLimit } from "../host/service-environment.ts";
import type { Log } from "../report/log.ts";
import type { ReloadCause, SyncAnswer } from "./exchange.ts";
import { type EventsReading, readLifecycleEvents } from "./lifecycle-events.ts";
import { isAlive, startedBootMs } from "./processes.ts";
import { reloadAgent, whyNoRestart } from "./reload.ts";
import type { AgentService } from "./service.ts";
import type { AgentSettings } from "./settings.ts";
import type { SyncRecord } from "./sync-record.ts";
import { type FailedReload, systemctlRestart } from "./systemctl.ts";

const LEAST_BETWEEN_RELOADS_MS = 5 * 60_000;
const COMMAND_LIMIT_MS = 30_000;
/** With no poll in hand the successor is there after 5 s; the oneshot does not wait for one that takes longer. */
const WATCH_MS = 15_000;
/**
 * A worker that was asked to end finishes its long poll first (80 s at most, four times that while the network
 * hangs and the SDK retries) and its pause after an error (90 s). Only one that outlasts this is stuck.
 */
const LEAVING_LIMIT_MS = 10 * 60_000;

/** Its master replaces a worker after 5 s, and one that dies at start again and again is there in between. */
const WORKER_MISSING_LIMIT_MS = 5 * 60_000;

export type Reload = Omit<SyncAnswer["reload"], "causes">;

export interface ReloadSituation {
  config: Config;
  settings: AgentSettings;
  service: AgentService;
  /** What the worker that is running now cannot have loaded. */
  causes: ReloadCause[];
  /** Updated in place with what was done. */
  record: SyncRecord;
  /** Keeps the record; called before anything is done to the agent, so that a run killed then is not forgotten. */
  save: () => Promise<void>;
  factor: number;
  log: Log;
}

export async function reloadIfNeeded(situation: ReloadSituation): Promise<Reload> {
  const { config, service, causes, record } = situation;
  const unit = config.agent.service;
  const missing = whyNoWorker(situation);
  if (missing !== null) return missing;
  if (service.state !== "running") {
    record.leaving = null;
    return outcome("not_running", service.detail);
  }
  const leaving = followUp(situation);
  if (leaving !== null) return leaving;
  if (causes.length === 0) {
    record.lastFailure = null;
    return outcome("not_needed");
  }
  if (config.agent.reload === "never") {
    const detail = `the agent has not loaded its ${causes.join(" and ")}, and agent.reload is "never"`;
    return outcome("off", detail, `Run when it suits you: systemctl reload ${unit}`);
  }
  const events = await eventsNow(situation);
  const wait = whyWait(events, situation);
  if (wait !== null) return wait;
  return isStuck(situation) ? restartIfHarmless(situation, events) : reload(situation);
}

/** An agent without a worker polls nothing, however "active" it is: a few minutes of that are a failure. */
function whyNoWorker({ config, service, record, factor }: ReloadSituation): Reload | null {
  const { state, worker } = service;
  const isMissing = state === "starting" || (state === "running" && worker === null);
  const { bootMs } = readClock();
  record.workerMissingSinceBootMs = isMissing ? (record.workerMissingSinceBootMs ?? bootMs) : null;
  if (record.workerMissingSinceBootMs === null) return null;
  const missingMs = bootMs - record.workerMissingSinceBootMs;
  if (missingMs < scaledLimit(WORKER_MISSING_LIMIT_MS, factor)) return null;
  const detail = `the agent has had no worker for ${formatDuration(missingMs * factor)}, so it polls nothing`;
  return outcome("failed", detail, `See the agent's log and systemctl status ${config.agent.service}.`);
}

/**
 * What became of a worker that an earlier run asked to end; null when there is none, when it is stuck, or when it
 * is time to ask once more: a worker that was just being forked took the signal for its master's and forgot it,
 * and to one that is on its way out a second signal means nothing (agent, process_manager).
 */
function followUp(situation: ReloadSituation): Reload | null {
  const { service, record, causes, log } = situation;
  const { leaving } = record;
  if (leaving === null) return null;
  if (isAlive(leaving)) {
    const isDue = causes.length > 0 && restOfOneMs(situation) <= 0;
    return isStuck(situation) || isDue ? null : underWay(leaving.pid);
  }
  if (service.worker === null) return outcome("under_way", "the master is starting a new worker");
  record.leaving = null;
  if (causes.length > 0) return null;
  log.info("agent_reloaded", { service: situation.config.agent.service, worker_pid: service.worker.pid });
  return outcome("done");
}

/** Asked twice, and still there long after the first time: the first signal may have been forgotten. */
function isStuck({ record, factor }: ReloadSituation): boolean {
  const { leaving, lastReloadBootMs } = record;
  if (leaving === null || !isAlive(leaving)) return false;
  const wasAskedAgain = lastReloadBootMs !== null && lastReloadBootMs > leaving.askedBootMs;
  return wasAskedAgain && readClock().bootMs - leaving.askedBootMs >= scaledLimit(LEAVING_LIMIT_MS, factor);
}

function eventsNow({ settings, service }: ReloadSituation): Promise<EventsReading> {
  const { bootMs } = readClock();
  const workerAge = service.worker === null ? null : bootMs - startedBootMs(service.worker, bootMs);
  return readLifecycleEvents(settings.trackingDirectory, workerAge);
}

/**
 * How much of the least time between two reloads is left, in milliseconds. One for the config alone does not keep the
 * credentials waiting: a host that wakes with a config to mend gets its new credentials seconds later.
 */
function restMs({ record, causes, factor }: ReloadSituation): number {
  const last = causes.includes("credentials") ? record.lastCredentialsReloadBootMs : record.lastReloadBootMs;
  return last === null ? 0 : last + scaled(LEAST_BETWEEN_RELOADS_MS, factor) - readClock().bootMs;
}

/** As long as this, one worker is not asked a second time to end. */
function restOfOneMs({ record: { lastReloadBootMs: last }, factor }: ReloadSituation): number {
  return last === null ? 0 : last + scaled(LEAST_BETWEEN_RELOADS_MS, factor) - readClock().bootMs;
}

/** Why not now; null when nothing stands in the way. */
function whyWait(events: EventsReading, situation: ReloadSituation): Reload | null {
  const { service, record, factor } = situation;
  const { leaving, lastFailure } = record;
  const deferred = (why: string) => outcome("deferred", why, "Nothing to do: it is tried again each minute.");
  if (events.kind === "in_progress") {
    if (leaving !== null) {
      // Busy, not stuck: before a restart is thought of, it is asked once more when the event has ended.
      leaving.askedBootMs = readClock().bootMs;
      return underWay(leaving.pid);
    }
    return deferred(`a lifecycle event is in progress (deployment ${events.deploymentIds.join(", ")})`);
  }
  if (events.kind === "unknown")
    return deferred(`whether a lifecycle event is in progress cannot be known (${events.why})`);
  if (service.isReloading) return deferred("a reload that somebody else asked for is under way");
  const rest = restMs(situation);
  if (rest <= 0) return null;
  if (lastFailure !== null) return outcome("failed", lastFailure.detail, lastFailure.nextStep);
  const least = formatDuration(LEAST_BETWEEN_RELOADS_MS);
  const sinceLast = formatDuration(LEAST_BETWEEN_RELOADS_MS - rest * factor);
  return deferred(`the last reload was ${sinceLast} ago, and ${least} must lie between two`);
}

async function reload(situation: ReloadSituation): Promise<Reload> {
  const { config, service, causes, record, save, factor, log } = situation;
  const { worker } = service;
  const unit = config.agent.service;
  const nowBootMs = readClock().bootMs;
  const before = record.leaving;
  const isAskedAgain = before?.pid === worker?.pid && before?.startTicks === worker?.startTicks;
  record.lastReloadBootMs = nowBootMs;
  if (causes.includes("credentials")) record.lastCredentialsReloadBootMs = nowBootMs;
  record.lastFailure = null;
  record.leaving = isAskedAgain ? before : worker && { ...worker, askedBootMs: nowBootMs };
  await save();
  const limits = { commandMs: scaledLimit(COMMAND_LIMIT_MS, factor), watchMs: scaledLimit(WATCH_MS, factor) };
  const result = await reloadAgent(unit, service, limits);
  if (result.kind === "under_way")
    return outcome("under_way", result.detail, "Nothing to do: its master replaces it then.");
  record.leaving = null;
  if (result.kind === "failed") return failed(result, record);
  log.info("agent_reloaded", { service: unit, for: causes.join(" and "), worker_pid: result.worker.pid });
  return outcome("done");
}

/** The last resort: a graceful reload has brought no new worker, and nothing but the agent would die. */
async function restartIfHarmless(situation: ReloadSituation, events: EventsReading): Promise<Reload> {
  const { config, service, record, save, factor, log } = situation;
  const unit = config.agent.service;
  const harm =
    events.kind === "none" ? whyNoRestart(service) : "a lifecycle event left its tracking file behind";
  const why = `worker ${record.leaving?.pid} was asked to end and does not`;
  if (harm !== null) {
    const step = `See the agent's log and systemctl status ${unit}. If nothing of value runs in its control group: systemctl restart ${unit}`;
    return outcome("failed", `${why}, and a restart is not safe: ${harm}`, step);
  }
  log.warn("agent_restart", { service: unit, why });
  record.lastReloadBootMs = readClock().bootMs;
  await save();
  const result = await systemctlRestart(unit, scaledLimit(COMMAND_LIMIT_MS, factor));
  if (result.kind === "failed") return failed(result, record);
  if (result.kind === "running")
    return outcome("under_way", `${why}; it is restarted, and systemd waits for it to stop`);
  record.leaving = null;
  return outcome("restarted", why);
}

/** Told again until the next attempt: in between nothing has become better. */
function failed({ detail, nextStep }: FailedReload, record: SyncRecord): Reload {
  record.lastFailure = { detail, nextStep };
  return outcome("failed", detail, nextStep);
}

function underWay(pid: number): Reload {
  const detail = `worker ${pid} ends after the poll or the lifecycle event in hand`;
  return outcome("under_way", detail, "Nothing to do: its master replaces it then.");
}

function outcome(state: Reload["state"], detail = "", nextStep = ""): Reload {
  return { state, detail, nextStep };
}
