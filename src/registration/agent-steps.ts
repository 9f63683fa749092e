/** The agent: its config says what ours says, it runs, it has loaded both, and it polls. It is never restarted here. */
import { setTimeout as sleep } from "node:timers/promises";
import { desiredConfig } from "../agent/desired-config.ts";
import type { SyncAnswer } from "../agent/exchange.ts";
import { type Difference, readOnPremisesConfig } from "../agent/on-premises-config.ts";
import { runSync } from "../agent/run-sync.ts";
import { inspectService } from "../agent/service.ts";
import type { AgentSettings } from "../agent/settings.ts";
import type { Config } from "../config/config.ts";
import { Failure } from "../failure.ts";
import { changeUnits, showUnit } from "../host/systemd.ts";
import { createLog } from "../report/log.ts";
import type { StepOutcome } from "../report/progress.ts";

const START_LIMIT_MS = 100_000;
const WORKER_LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 500;

/** What is to be said is in the answer. */
const silent = createLog({ level: "error", format: "human", write: () => undefined });

/** Registering repairs the agent's config whatever `agent.on_drift` says: that is what it was asked for. */
export async function setAgentConfig(config: Config, factor: number): Promise<StepOutcome> {
  const repairing: Config = { ...config, agent: { ...config.agent, onDrift: "repair" } };
  const { answer } = await runSync({ config: repairing, factor, log: silent });
  const { state, file, detail, differences, backup } = answer.config;
  if (state !== "matches" && state !== "repaired") {
    throw new Failure({
      kind: "cannot_write",
      message: `the agent's config ${file} could not be set: ${detail}`,
      nextStep: `See: ls -l ${file}; then run the same command again.`,
    });
  }
  const reload = describeReload(answer);
  if (state === "matches") return { state: "kept", detail: `${file} is right${reload}` };
  const notes = backup === null ? [] : [`What was there is kept as ${backup}.`];
  return { state: "done", detail: `${file}: ${describeDifferences(differences)}${reload}`, notes };
}

export async function planAgentConfig(
  config: Config,
  { onPremisesConfigFile }: AgentSettings,
): Promise<StepOutcome> {
  const desired = desiredConfig(config);
  const reading = await readOnPremisesConfig(onPremisesConfigFile, desired);
  if (reading.kind === "unreadable")
    return { state: "note", detail: `${onPremisesConfigFile} cannot be read: ${reading.why}` };
  const differences =
    reading.kind === "read"
      ? reading.differences
      : Object.entries(desired).map(([key, wanted]) => ({ key, found: null, wanted }));
  if (differences.length === 0) return { state: "kept", detail: `${onPremisesConfigFile} is right` };
  const lines = differences.flatMap(({ key, found, wanted }) => [
    ...(found === null ? [] : [`-${key}: ${found}`]),
    ...(wanted === null ? [] : [`+${key}: ${wanted}`]),
  ]);
  const heads = [
    `--- ${reading.kind === "read" ? onPremisesConfigFile : "/dev/null"}`,
    `+++ ${onPremisesConfigFile}`,
  ];
  return { state: "plan", detail: `write ${onPremisesConfigFile}`, notes: [[...heads, ...lines].join("\n")] };
}

function describeDifferences(differences: readonly Difference[]): string {
  return differences
    .map(
      ({ key, found, wanted }) =>
        `${key} ${wanted === null ? "removed" : found === null ? "set" : "changed"}`,
    )
    .join(", ");
}

function describeReload({ reload }: SyncAnswer): string {
  switch (reload.state) {
    case "done":
    case "restarted":
      return "; the agent has loaded it";
    case "under_way":
    case "deferred":
      return `; the agent loads it as soon as it can (${reload.detail})`;
    case "failed":
    case "off":
      return `; the agent has not loaded it: ${reload.detail}`;
    default:
      return "";
  }
}

/** Starts an agent that does not run; one that runs is left to {@link setAgentConfig} and the service to reload. */
export async function startAgent(
  config: Config,
  settings: AgentSettings,
  factor: number,
): Promise<StepOutcome> {
  const unit = config.agent.service;
  const before = await inspectService(unit, settings);
  const isEnabledNow = await enableAgent(unit);
  if (before.state === "running" && before.worker !== null) {
    const detail = `${unit} runs (worker ${before.worker.pid})`;
    return isEnabledNow
      ? { state: "done", detail: `${detail}, and starts with the host` }
      : { state: "kept", detail };
  }
  if (before.state !== "running") {
    if (before.state === "failed") await changeUnits(START_LIMIT_MS, ["reset-failed"], [unit]);
    await changeUnits(START_LIMIT_MS, ["start"], [unit]);
  }
  const deadline = performance.now() + WORKER_LIMIT_MS;
  while (performance.now() < deadline) {
    const { worker } = await inspectService(unit, settings);
    if (worker !== null) {
      // The answer that lies there for the service was given before it ran.
      await runSync({ config, factor, log: silent });
      const what = before.state === "running" ? "has a worker again" : "started";
      return { state: "done", detail: `${unit} ${what} (worker ${worker.pid})` };
    }
    await sleep(LOOK_EVERY_MS);
  }
  throw new Failure({
    kind: "host_not_ready",
    message: `${unit} was started, but has no worker after ${WORKER_LIMIT_MS / 1_000} s: it does not poll`,
    nextStep: `See its log, ${settings.logFile}, and: systemctl status ${unit}`,
  });
}

export async function planAgentStart(unit: string, settings: AgentSettings): Promise<StepOutcome> {
  const { state } = await inspectService(unit, settings);
  if (state === "running") return { state: "kept", detail: `${unit} runs` };
  const when = state === "absent" ? "once it is installed" : `which is ${state}`;
  return { state: "plan", detail: `start ${unit}, ${when}` };
}

/** One that a reboot would leave stopped is no use. @returns whether that had to be changed */
async function enableAgent(unit: string): Promise<boolean> {
  const found = await showUnit(unit, ["UnitFileState"]).catch(() => null);
  // "static", "generated" and the like cannot be enabled, or need not be.
  if (found?.get("UnitFileState") !== "disabled") return false;
  await changeUnits(START_LIMIT_MS, ["enable"], [unit]);
  return true;
}
