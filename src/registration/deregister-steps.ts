/** The steps of `deregister`, in their order. Each looks first, and in a dry run only says what it would do. */
import { readLifecycleEvents } from "../agent/lifecycle-events.ts";
import { startedBootMs } from "../agent/processes.ts";
import { inspectService } from "../agent/service.ts";
import type { AgentSettings } from "../agent/settings.ts";
import type { CodeDeploy, Tag } from "../aws/codedeploy.ts";
import { openNetwork } from "../aws/network.ts";
import type { Config } from "../config/config.ts";
import { Failure } from "../failure.ts";
import { readClock } from "../host/clock.ts";
import { timeFactor } from "../host/service-environment.ts";
import { isBootedWithSystemd } from "../host/systemd.ts";
import type { StepOutcome } from "../report/progress.ts";
import { describeTags, findOwnInstance } from "./aws-steps.ts";
import { expectedSessionArn, type World } from "./identities.ts";
import type { Step } from "./journey.ts";
import { openOperator } from "./operator-access.ts";
import { filesToRemove, removeFiles } from "./removal.ts";
import { isServiceOff, turnServiceOff } from "./service-off.ts";
import { SERVICE } from "./service-step.ts";

export interface DeregisterFlags {
  profile?: string;
  keepFiles?: boolean;
  hostOnly?: boolean;
  dryRun?: boolean;
  force?: boolean;
}

/** @param settings the agent's own; null where they cannot be read */
export async function deregisterSteps(
  config: Config,
  settings: AgentSettings | null,
  options: DeregisterFlags,
): Promise<Step[]> {
  const { dryRun = false, hostOnly = false, keepFiles = false, force = false, profile } = options;
  const world: World = {
    config,
    network: await openNetwork(config, timeFactor(), process.env),
    env: process.env,
  };
  const wanted = { serial: config.serial, sessionArn: expectedSessionArn(config), region: config.region };
  let codedeploy: CodeDeploy;
  let tagsGone: readonly Tag[] = [];
  const changesHost = !dryRun;
  const steps: (Step | false)[] = [
    { id: "host", title: "Check the host", run: checkHost },
    !hostOnly && {
      id: "operator",
      title: "Identify the operator",
      run: async () => {
        const { operator, caller, codedeploy: opened } = await openOperator(world, profile);
        codedeploy = opened;
        // Asked before anything is changed: it may be another's.
        await findOwnInstance(codedeploy, wanted);
        return { state: "ok", detail: `${caller.arn} (${operator.source})` };
      },
    },
    {
      id: "events",
      title: "See that nothing is being deployed",
      run: () => seeNoEvent(config, settings, force),
    },
    !hostOnly && {
      id: "tags",
      title: "Remove the instance's tags",
      changesHost,
      run: async () => {
        const tags = (await findOwnInstance(codedeploy, wanted))?.tags ?? [];
        if (tags.length === 0) return { state: "kept", detail: "it has none" };
        if (dryRun) return { state: "plan", detail: `remove ${describeTags(tags)}` };
        await codedeploy.removeTags(wanted.serial, tags);
        tagsGone = tags;
        return { state: "done", detail: `removed ${describeTags(tags)}` };
      },
    },
    !hostOnly && {
      id: "deregistration",
      title: "Deregister from CodeDeploy",
      changesHost,
      run: async () => {
        if ((await findOwnInstance(codedeploy, wanted)) === null)
          return { state: "kept", detail: `${wanted.serial} is not registered` };
        if (dryRun) return { state: "plan", detail: `deregister ${wanted.serial}` };
        await codedeploy.deregister(wanted.serial).catch((error) => {
          throw withWayBack(error, wanted.serial, tagsGone);
        });
        return { state: "done", detail: `${wanted.serial} is no longer registered` };
      },
    },
    // Only now: where AWS refuses, the host goes on as it was, with an agent that has valid credentials.
    { id: "service", title: "Stop the service", changesHost, run: () => stopService(config, dryRun) },
    {
      id: "files",
      title: "Remove our files",
      changesHost,
      run: async () => {
        if (keepFiles) return { state: "kept", detail: "left as they are (--keep-files)" };
        if (!dryRun) return removeFiles(config, settings);
        return { state: "plan", detail: `remove ${(await filesToRemove(config, settings)).join(", ")}` };
      },
    },
    { id: "agent", title: "Leave the agent as it is", run: () => tellOfAgent(config, settings) },
  ];
  return steps.filter((step) => step !== false);
}

async function checkHost(): Promise<StepOutcome> {
  if (process.geteuid?.() === 0 && isBootedWithSystemd())
    return { state: "ok", detail: "we are root, and systemd is there" };
  throw new Failure({
    kind: "host_not_ready",
    message: "this command must be run as root, on a host with systemd",
    nextStep: "Use sudo.",
  });
}

/** A host that stays registered without its tags is in no deployment group, and nothing else would say so. */
function withWayBack(error: unknown, serial: string, tags: readonly Tag[]): unknown {
  if (!(error instanceof Failure) || tags.length === 0) return error;
  const flags = tags.map(({ key, value }) => `--tag ${inShell(`${key}=${value}`)}`).join(" ");
  const { kind, message, nextStep } = error;
  return new Failure({
    kind,
    message,
    nextStep: `${nextStep} Until then ${serial} is registered without tags, so no deployment reaches it; to take it back into service: idc-helper register ${flags}`,
  });
}

function inShell(text: string): string {
  return /^[\w=.,:@/+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A deployment that loses its host in the middle fails. */
async function seeNoEvent(
  config: Config,
  settings: AgentSettings | null,
  isForced: boolean,
): Promise<StepOutcome> {
  if (settings === null)
    return { state: "note", detail: "the agent's settings cannot be read, so that is not known" };
  const { worker } = await inspectService(config.agent.service, settings);
  const { bootMs } = readClock();
  const workerAgeMs = worker === null ? null : bootMs - startedBootMs(worker, bootMs);
  const events = await readLifecycleEvents(settings.trackingDirectory, workerAgeMs);
  if (events.kind === "unknown") return { state: "note", detail: `that cannot be known (${events.why})` };
  if (events.kind !== "in_progress") return { state: "ok", detail: "no lifecycle event is in progress" };
  const what = `a lifecycle event is in progress (deployment ${events.deploymentIds.join(", ")})`;
  if (isForced) return { state: "note", detail: `${what}; it is let down (--force)` };
  throw new Failure({
    kind: "busy",
    message: `${what}: deregistered now, the deployment would fail`,
    nextStep: "Run the same command again when it has ended, or add --force.",
  });
}

async function stopService({ paths }: Config, dryRun: boolean): Promise<StepOutcome> {
  if (await isServiceOff()) return { state: "kept", detail: `${SERVICE} does not run and is not enabled` };
  if (dryRun) return { state: "plan", detail: `stop and disable ${SERVICE}` };
  await turnServiceOff(paths);
  return { state: "done", detail: `${SERVICE} is stopped and disabled` };
}

/** Stopping it would end what its deployments have started (FACTS), so that is left to a person. */
async function tellOfAgent(config: Config, settings: AgentSettings | null): Promise<StepOutcome> {
  const unit = config.agent.service;
  const state = settings === null ? "unknown" : (await inspectService(unit, settings)).state;
  if (state !== "running") return { state: "kept", detail: `${unit} is ${state}` };
  return {
    state: "note",
    detail: `${unit} is still running and polls in vain`,
    notes: [
      `systemctl disable --now ${unit} stops it, and with it everything that deployments have started in its control group: see systemctl status ${unit} first.`,
    ],
  };
}
