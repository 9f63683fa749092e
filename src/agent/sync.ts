/**
 * Keeps two statements true, and does nothing when they are: (1) the agent's on-premises config says what our
 * config says; (2) if the agent is running, its worker has loaded that config and the credentials required of it.
 *
 * Never fails a lifecycle event, never starts an agent that somebody stopped.
 */
import type { Config } from "../config/config.ts";
import { AGENT_DEFAULTS } from "../config/paths.ts";
import { type Instant, readBootId, readClock } from "../host/clock.ts";
import { scaled, scaledLimit } from "../host/service-environment.ts";
import type { Log } from "../report/log.ts";
import { configChangedBootMs, type KeptConfig, keepConfig } from "./config-upkeep.ts";
import type { ReloadCause, SyncAnswer, SyncRequest } from "./exchange.ts";
import { readLifecycleEvents } from "./lifecycle-events.ts";
import { startedBootMs } from "./processes.ts";
import { type ReloadOutcome, reloadAgent, restartAgent, whyNoRestart } from "./reload.ts";
import { type AgentService, inspectService } from "./service.ts";
import { type AgentSettings, readAgentSettings } from "./settings.ts";
import { readSyncRecord, type SyncRecord, writeSyncRecord } from "./sync-record.ts";

const LEAST_BETWEEN_RELOADS_MS = 5 * 60_000;
const COMMAND_LIMIT_MS = 30_000;
const WORKER_LIMIT_MS = 30_000;

export interface SyncOptions {
  config: Config;
  request: SyncRequest | null;
  factor: number;
  log: Log;
}

export async function syncAgent({ config, request, factor, log }: SyncOptions): Promise<SyncAnswer> {
  const bootId = readBootId();
  const record = await readSyncRecord(config.paths, bootId);
  const reading = await readAgentSettings(config.agent.settingsFile);
  if ("unreadable" in reading) {
    log.warn("agent_settings_unreadable", { why: reading.unreadable });
    return unknownAnswer(config, request, reading.unreadable, bootId);
  }
  const { settings } = reading;
  const beforeRepair = () => writeSyncRecord(config.paths, { ...record, config: null });
  const kept = await keepConfig({ config, settings, log, beforeRepair });
  const service = await inspectService(config.agent.service, settings);
  const now = readClock();
  const configSince = configChangedBootMs(kept, record, now);
  const causes = reloadCauses({
    service,
    request,
    bootId,
    configSince: kept.isAsDesired ? configSince : null,
    now,
  });
  const next: SyncRecord = {
    ...record,
    config: kept.meaning === null ? null : { meaning: kept.meaning, sinceBootMs: configSince },
  };
  const reload = await reloadIfNeeded({ config, settings, service, causes, record: next, factor, log });
  await writeSyncRecord(config.paths, next);
  const after =
    reload.state === "done" || reload.state === "restarted"
      ? await inspectService(config.agent.service, settings)
      : service;
  return answer({ request, bootId, settings, kept, service: after, reload: { ...reload, causes } });
}

interface CauseFacts {
  service: AgentService;
  request: SyncRequest | null;
  bootId: string;
  /** Since when the agent's config says what it should; null while it does not. */
  configSince: number | null;
  now: Instant;
}

/** What the worker that is running now cannot have loaded, because it started before. */
function reloadCauses({ service, request, bootId, configSince, now }: CauseFacts): ReloadCause[] {
  if (service.state !== "running" || service.worker === null) return [];
  const started = startedBootMs(service.worker, now.bootMs);
  const credentialsSince =
    request?.credentialsSince?.bootId === bootId ? request.credentialsSince.bootMs : null;
  const causes: ReloadCause[] = [];
  if (credentialsSince !== null && started < credentialsSince) causes.push("credentials");
  if (configSince !== null && started < configSince) causes.push("config");
  return causes;
}

type Reload = Omit<SyncAnswer["reload"], "causes">;

interface ReloadSituation {
  config: Config;
  settings: AgentSettings;
  service: AgentService;
  causes: ReloadCause[];
  record: SyncRecord;
  factor: number;
  log: Log;
}

async function reloadIfNeeded(situation: ReloadSituation): Promise<Reload> {
  const { config, service, causes, record, factor, log } = situation;
  const unit = config.agent.service;
  if (service.state !== "running") return { state: "not_running", detail: service.detail, nextStep: "" };
  if (causes.length === 0) return { state: "not_needed", detail: "", nextStep: "" };
  const cause = causes.join(" and ");
  if (config.agent.reload === "never") {
    return {
      state: "off",
      detail: `the agent has not loaded its ${cause}, and agent.reload is "never"`,
      nextStep: `Run when it suits you: systemctl reload ${unit}`,
    };
  }
  const wait = await whyWait(situation);
  if (wait !== null)
    return { state: "deferred", detail: wait, nextStep: "Nothing to do: it is tried again each minute." };
  record.lastReloadBootMs = readClock().bootMs;
  const limits = {
    commandMs: scaledLimit(COMMAND_LIMIT_MS, factor),
    workerMs: scaledLimit(WORKER_LIMIT_MS, factor),
  };
  const outcome = isFruitless(record, service)
    ? await restartIfHarmless(situation)
    : await reloadAgent(unit, service, limits);
  if (outcome === "restarted")
    return { state: "restarted", detail: "a graceful reload had brought no new worker", nextStep: "" };
  record.fruitlessReload = outcome.kind === "no_new_worker" ? service.worker : null;
  return report(outcome, situation, log);
}

/** Why not now; null when nothing stands in the way. */
async function whyWait({ settings, service, record, factor }: ReloadSituation): Promise<string | null> {
  const now = readClock();
  const workerAge = service.worker === null ? null : now.bootMs - startedBootMs(service.worker, now.bootMs);
  const events = await readLifecycleEvents(settings.trackingDirectory, workerAge);
  if (events.kind === "in_progress")
    return `a lifecycle event is in progress (deployment ${events.deploymentIds.join(", ")})`;
  if (events.kind === "unknown")
    return `whether a lifecycle event is in progress cannot be known (${events.why})`;
  const sinceLast =
    record.lastReloadBootMs === null ? Number.POSITIVE_INFINITY : now.bootMs - record.lastReloadBootMs;
  const least = scaled(LEAST_BETWEEN_RELOADS_MS, factor);
  return sinceLast < least
    ? `the last reload was ${Math.round(sinceLast / 1_000)} s ago, and five minutes must lie between two`
    : null;
}

function isFruitless({ fruitlessReload }: SyncRecord, { worker }: AgentService): boolean {
  return (
    fruitlessReload !== null &&
    fruitlessReload.pid === worker?.pid &&
    fruitlessReload.startTicks === worker.startTicks
  );
}

/** The last resort: a graceful reload has brought no new worker, and nothing but the agent would die. */
async function restartIfHarmless({
  config,
  service,
  factor,
  log,
}: ReloadSituation): Promise<ReloadOutcome | "restarted"> {
  const harm = whyNoRestart(service);
  if (harm !== null)
    return {
      kind: "failed",
      detail: `a graceful reload brings no new worker, and a restart is not safe: ${harm}`,
      nextStep: handiwork(config),
    };
  log.warn("agent_restart", {
    service: config.agent.service,
    why: "a graceful reload brought no new worker",
  });
  return (await restartAgent(config.agent.service, scaledLimit(COMMAND_LIMIT_MS, factor))) ?? "restarted";
}

async function report(outcome: ReloadOutcome, situation: ReloadSituation, log: Log): Promise<Reload> {
  const { config, causes } = situation;
  if (outcome.kind === "done") {
    log.info("agent_reloaded", {
      service: config.agent.service,
      for: causes.join(" and "),
      worker_pid: outcome.worker.pid,
    });
    return { state: "done", detail: "", nextStep: "" };
  }
  if (outcome.kind === "failed")
    return { state: "failed", detail: outcome.detail, nextStep: outcome.nextStep };
  const events = await whyWait({ ...situation, record: { ...situation.record, lastReloadBootMs: null } });
  if (events !== null) {
    return {
      state: "deferred",
      detail: `the worker finishes first: ${events}`,
      nextStep: "Nothing to do: the agent replaces it then.",
    };
  }
  return { state: "failed", detail: `no new worker came: ${outcome.detail}`, nextStep: handiwork(config) };
}

function handiwork({ agent }: Config): string {
  return `See the agent's log (${AGENT_DEFAULTS.logDir}) and systemctl status ${agent.service}; it is tried again.`;
}

interface AnswerParts {
  request: SyncRequest | null;
  bootId: string;
  settings: AgentSettings;
  kept: KeptConfig;
  service: AgentService;
  reload: SyncAnswer["reload"];
}

function answer({ request, bootId, settings, kept, service, reload }: AnswerParts): SyncAnswer {
  const now = readClock();
  const { master, worker } = service;
  const noWorker =
    service.state === "running" && worker === null ? "its master is starting a new worker" : "";
  return {
    id: request?.id ?? null,
    at: new Date(now.wallMs).toISOString(),
    bootId,
    bootMs: now.bootMs,
    pickupWindowMs: settings.pickupWindowMs,
    agent: {
      state: service.state,
      detail: service.detail || noWorker,
      masterPid: master?.pid ?? null,
      workerPid: worker?.pid ?? null,
      workerStartedBootMs: worker === null ? null : startedBootMs(worker, now.bootMs),
      invocationId: service.invocationId,
    },
    config: kept.report,
    reload,
  };
}

/** Where the agent keeps its things is not known, so nothing is changed and nothing is claimed. */
function unknownAnswer(config: Config, request: SyncRequest | null, why: string, bootId: string): SyncAnswer {
  const now = readClock();
  return {
    id: request?.id ?? null,
    at: new Date(now.wallMs).toISOString(),
    bootId,
    bootMs: now.bootMs,
    pickupWindowMs: 1_680_000,
    agent: {
      state: "unknown",
      detail: why,
      masterPid: null,
      workerPid: null,
      workerStartedBootMs: null,
      invocationId: null,
    },
    config: { state: "unknown", file: config.agent.settingsFile, detail: why, differences: [], backup: null },
    reload: {
      state: "deferred",
      causes: [],
      detail: why,
      nextStep: `Make ${config.agent.settingsFile} readable, or correct agent.settings_file.`,
    },
  };
}
