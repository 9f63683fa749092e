/** The agent: its config says what ours says, it runs, it has loaded both, and it polls. It is never restarted here. */
import { setTimeout as sleep } from "node:timers/promises";
import { type PollLine, readPolls } from "../agent/agent-log.ts";
import { desiredConfig } from "../agent/desired-config.ts";
import type { SyncAnswer } from "../agent/exchange.ts";
import { type Difference, readOnPremisesConfig } from "../agent/on-premises-config.ts";
import { runSync } from "../agent/run-sync.ts";
import { inspectService } from "../agent/service.ts";
import type { AgentSettings } from "../agent/settings.ts";
import type { Config } from "../config/config.ts";
import { Failure } from "../failure.ts";
import { scaledLimit, timeFactor } from "../host/service-environment.ts";
import { changeUnits } from "../host/systemd.ts";
import { createLog } from "../report/log.ts";
import type { StepOutcome } from "../report/progress.ts";

const START_LIMIT_MS = 100_000;
const WORKER_LIMIT_MS = 60_000;
/** A long poll lasts up to 80 s, and a worker on its way out finishes its own first. */
const POLL_LIMIT_MS = 180_000;
const LOOK_EVERY_MS = 500;
/** AWS may need seconds to know a new registration everywhere, and the agent waits longer after each refusal. */
const REFUSALS_UNTIL_SURE = 4;

/** Registering repairs the agent's config whatever `agent.on_drift` says: that is what it was asked for. */
export async function setAgentConfig(config: Config, factor: number): Promise<StepOutcome> {
  const log = createLog({ level: "error", format: "human", write: () => undefined });
  const repairing: Config = { ...config, agent: { ...config.agent, onDrift: "repair" } };
  const { answer } = await runSync(repairing, factor, log);
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
export async function startAgent(config: Config, settings: AgentSettings): Promise<StepOutcome> {
  const unit = config.agent.service;
  const before = await inspectService(unit, settings);
  if (before.state === "running" && before.worker !== null)
    return { state: "kept", detail: `${unit} runs (worker ${before.worker.pid})` };
  if (before.state !== "running") {
    if (before.state === "failed") await changeUnits(START_LIMIT_MS, ["reset-failed"], [unit]);
    await changeUnits(START_LIMIT_MS, ["start"], [unit]);
  }
  const deadline = performance.now() + WORKER_LIMIT_MS;
  while (performance.now() < deadline) {
    const { worker } = await inspectService(unit, settings);
    if (worker !== null) {
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

/**
 * Waits until the agent's worker has had an answer to a poll under our session ARN. AWS tells nobody who polls: the
 * agent's own log does.
 */
export async function seeAgentPoll(
  config: Config,
  settings: AgentSettings,
  sessionArn: string,
): Promise<StepOutcome> {
  const limitMs = scaledLimit(POLL_LIMIT_MS, timeFactor());
  const deadline = performance.now() + limitMs;
  let last: PollLine | undefined;
  // What was refused before we looked may have been so for want of what this very command has done.
  let before = { worker: 0, polls: 0 };
  for (;;) {
    const { worker } = await inspectService(config.agent.service, settings);
    const polls = (await readPolls(settings.logFile).catch(() => [])).filter(
      ({ pid, hostIdentifier }) => pid === worker?.pid && hostIdentifier === sessionArn,
    );
    last = polls.at(-1) ?? last;
    if (polls.at(-1)?.status === 200)
      return { state: "ok", detail: `worker ${worker?.pid} polls as ${sessionArn}` };
    if (worker !== null && before.worker !== worker.pid) before = { worker: worker.pid, polls: polls.length };
    const refusals = denialsAtTheEnd(polls.slice(before.polls));
    if (refusals >= REFUSALS_UNTIL_SURE) return refusedPolls(refusals, sessionArn, settings);
    if (performance.now() >= deadline) break;
    await sleep(LOOK_EVERY_MS);
  }
  const why = last?.error ? `its last poll was refused: ${last.error}` : "its log shows no answered poll yet";
  return {
    state: "note",
    detail: `the agent was not seen polling within ${limitMs / 1_000} s: ${why}`,
    notes: [`Look again with idc-helper doctor; the agent's log is ${settings.logFile}.`],
  };
}

/** How many polls in a row, up to the last, AWS has refused for who asked. */
export function denialsAtTheEnd(polls: readonly PollLine[]): number {
  const others = polls.findLastIndex(({ error }) => !/^AccessDenied(?:Exception)?$/.test(error ?? ""));
  return polls.length - 1 - others;
}

function refusedPolls(
  refusals: number,
  sessionArn: string,
  { enableAuthPolicy, logFile }: AgentSettings,
): StepOutcome {
  const why = enableAuthPolicy
    ? "With :enable_auth_policy: on, the role needs codedeploy-commands-secure:* (idc-helper iam --auth-policy)."
    : `AWS takes polls of registered instances only, and may need a minute to know a new one: see whether it is registered as ${sessionArn}, in this region.`;
  return {
    state: "note",
    detail: `the agent polls, but AWS has refused ${refusals} polls in a row: AccessDenied`,
    notes: [why, `Look again with idc-helper doctor; the agent's log is ${logFile}.`],
  };
}
