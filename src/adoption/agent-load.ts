/**
 * The agent's worker has loaded the on-premises config that lies there now: else it is reloaded, gracefully and never
 * during a lifecycle event, under the same lock and record as every other sync.
 */
import { statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { startedBootMs } from "../agent/processes.ts";
import { type Reload, reloadIfNeeded } from "../agent/reload-upkeep.ts";
import { type AgentService, inspectService } from "../agent/service.ts";
import type { AgentSettings } from "../agent/settings.ts";
import { readSyncRecord, writeSyncRecord } from "../agent/sync-record.ts";
import type { Config } from "../config/config.ts";
import { agentRuntimeFiles } from "../config/paths.ts";
import { Failure } from "../failure.ts";
import { readBootId, readClock } from "../host/clock.ts";
import { acquireLock } from "../host/lock.ts";
import { scaledLimit } from "../host/service-environment.ts";
import { createLog } from "../report/log.ts";
import type { StepOutcome } from "../report/progress.ts";

/** Five minutes must lie between two reloads, and a worker may take ten to end. */
const LIMIT_MS = 15 * 60_000;
const LOOK_EVERY_MS = 1_000;
const LOCK_WAIT_MS = 90_000;

/** Whether the worker started after the config had got its present content; an agent that does not run has nothing to load. */
export function hasLoaded({ worker, state }: AgentService, settings: AgentSettings): boolean {
  if (worker === null) return state !== "running";
  const changedWallMs = statSync(settings.onPremisesConfigFile, { throwIfNoEntry: false })?.ctimeMs;
  if (changedWallMs === undefined) return false;
  const now = readClock();
  const changedBootMs = Math.min(now.bootMs, now.bootMs - (now.wallMs - changedWallMs));
  return startedBootMs(worker, now.bootMs) >= changedBootMs;
}

/**
 * @param again the command to run again, for messages
 * @throws Failure where the agent has not loaded it in time: it goes on with what it has
 */
export async function haveItLoaded(
  config: Config,
  settings: AgentSettings,
  factor: number,
  again: string,
): Promise<StepOutcome> {
  const deadline = performance.now() + scaledLimit(LIMIT_MS, factor);
  for (let isFirst = true; ; isFirst = false) {
    const { reload, worker } = await reloadOnce(config, settings, factor);
    const { state } = reload;
    if (state === "not_needed" || state === "done" || state === "restarted") {
      const detail = `worker ${worker} has loaded ${settings.onPremisesConfigFile}`;
      return { state: isFirst && state === "not_needed" ? "kept" : "done", detail };
    }
    if (state === "not_running") return { state: "kept", detail: `the agent does not run: ${reload.detail}` };
    const isPassing = state === "deferred" || state === "under_way";
    if (!isPassing || performance.now() >= deadline) throw notLoaded(reload, isPassing, again);
    await sleep(LOOK_EVERY_MS);
  }
}

async function reloadOnce(
  config: Config,
  settings: AgentSettings,
  factor: number,
): Promise<{ reload: Reload; worker: number | null }> {
  const lock = acquireLock(agentRuntimeFiles(config.paths).syncLock, { waitMs: LOCK_WAIT_MS });
  if (lock === null) {
    throw new Failure({
      kind: "busy",
      message: "another sync-agent on this host does not end",
      nextStep: `See what it waits for: fuser -v ${agentRuntimeFiles(config.paths).syncLock}`,
    });
  }
  try {
    const record = await readSyncRecord(config.paths, readBootId());
    const service = await inspectService(config.agent.service, settings);
    const reload = await reloadIfNeeded({
      config,
      settings,
      service,
      causes: service.state === "running" && !hasLoaded(service, settings) ? ["config"] : [],
      record,
      save: () => writeSyncRecord(config.paths, record),
      factor,
      log: createLog({ level: "error", format: "human", write: () => undefined }),
    });
    await writeSyncRecord(config.paths, record);
    const after = await inspectService(config.agent.service, settings);
    return { reload, worker: after.worker?.pid ?? null };
  } finally {
    lock.release();
  }
}

function notLoaded({ detail, nextStep }: Reload, isPassing: boolean, again: string): Failure {
  return new Failure({
    kind: "busy",
    message: `the agent has not loaded its new config yet: ${detail}`,
    nextStep: `Nothing is broken: it goes on with the credentials that it has, which are still renewed. ${isPassing ? "" : `${nextStep} `}Then run ${again} again.`,
  });
}
