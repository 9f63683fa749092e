/**
 * Keeps two statements true, and does nothing when they are: (1) the agent's on-premises config says what our
 * config says; (2) if the agent is running, its worker has loaded that config and the credentials required of it.
 *
 * Never fails a lifecycle event, never starts an agent that somebody stopped.
 */
import type { Config } from "../config/config.ts";
import { type Instant, readBootId, readClock } from "../host/clock.ts";
import type { Log } from "../report/log.ts";
import { configChangedBootMs, hasChangedSince, type KeptConfig, keepConfig } from "./config-upkeep.ts";
import { desiredConfig, digestOf } from "./desired-config.ts";
import type { ReloadCause, SyncAnswer, SyncRequest } from "./exchange.ts";
import { startedBootMs } from "./processes.ts";
import { reloadIfNeeded } from "./reload-upkeep.ts";
import { type AgentService, inspectService } from "./service.ts";
import { type AgentSettings, readAgentSettings } from "./settings.ts";
import { readSyncRecord, type SyncRecord, writeSyncRecord } from "./sync-record.ts";

export interface SyncOptions {
  config: Config;
  request: SyncRequest | null;
  /** Nobody asked: a drift, or the agent's coming and going, set this off. */
  isUnattended: boolean;
  factor: number;
  log: Log;
}

export interface Synced {
  answer: SyncAnswer;
  /** The agent's config was changed while the rest was done: what is said of it is no longer so. */
  isOvertaken: boolean;
}

export async function syncAgent({
  config,
  request,
  isUnattended,
  factor,
  log,
}: SyncOptions): Promise<Synced> {
  const bootId = readBootId();
  const record = await readSyncRecord(config.paths, bootId);
  const reading = await readAgentSettings(config.agent.settingsFile);
  if ("unreadable" in reading) {
    log.debug("agent_settings_unreadable", { why: reading.unreadable });
    return { answer: unknownAnswer(config, request, reading.unreadable, bootId), isOvertaken: false };
  }
  const { settings } = reading;
  const beforeRepair = () => writeSyncRecord(config.paths, { ...record, config: null });
  // By hand, what the configuration says is what is wanted. When nobody asked, it may be half edited.
  const inForce = request !== null ? request.inForce : isUnattended ? record.inForce : null;
  const kept = await keepConfig({ config, inForce, settings, log, beforeRepair });
  const service = await inspectService(config.agent.service, settings);
  const now = readClock();
  const configSince = configChangedBootMs(kept, record, now, settings.pidFile);
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
    inForce: inForce ?? digestOf(desiredConfig(config)),
  };
  const save = () => writeSyncRecord(config.paths, next);
  const reload = await reloadIfNeeded({ config, settings, service, causes, record: next, save, factor, log });
  await save();
  const after =
    reload.state === "done" || reload.state === "restarted"
      ? await inspectService(config.agent.service, settings)
      : service;
  return {
    answer: answer({ request, bootId, settings, kept, service: after, reload: { ...reload, causes } }),
    isOvertaken: hasChangedSince(kept),
  };
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
    request?.credentialsSince?.bootId === bootId
      ? // Nothing is required of the future: else every worker to come would be too old.
        Math.min(request.credentialsSince.bootMs, now.bootMs)
      : null;
  const causes: ReloadCause[] = [];
  if (credentialsSince !== null && started < credentialsSince) causes.push("credentials");
  if (configSince !== null && started < configSince) causes.push("config");
  return causes;
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
