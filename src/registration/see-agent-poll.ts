/** The proof that it all came to something: the agent's worker gets an answer to a poll under our session ARN. */
import { setTimeout as sleep } from "node:timers/promises";
import { type PollLine, readPolls } from "../agent/agent-log.ts";
import { inspectService } from "../agent/service.ts";
import type { AgentSettings } from "../agent/settings.ts";
import type { Config } from "../config/config.ts";
import { Failure } from "../failure.ts";
import { scaledLimit, timeFactor } from "../host/service-environment.ts";
import type { StepOutcome } from "../report/progress.ts";

/** A long poll lasts up to 80 s, and a worker on its way out finishes its own first. */
const POLL_LIMIT_MS = 180_000;
const LOOK_EVERY_MS = 500;
/** AWS may need seconds to know a new registration everywhere, and the agent waits longer after each refusal. */
const REFUSALS_UNTIL_SURE = 4;

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
    if (refusals >= REFUSALS_UNTIL_SURE) throw refusedPolls(refusals, sessionArn, settings);
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
): Failure {
  const why = enableAuthPolicy
    ? "With :enable_auth_policy: on, the role needs codedeploy-commands-secure:* (idc-helper iam --auth-policy)."
    : `AWS takes polls of registered instances only, and may need a minute to know a new one: see whether it is registered as ${sessionArn}, in this region.`;
  return new Failure({
    kind: "denied",
    message: `the agent polls, but AWS has refused ${refusals} polls in a row: AccessDenied`,
    nextStep: `${why} Look again with idc-helper doctor; the agent's log is ${logFile}.`,
  });
}
