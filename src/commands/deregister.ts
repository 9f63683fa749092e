/** `idc-helper deregister`: the end of a host's life with CodeDeploy. The agent stays installed. */

import { access } from "node:fs/promises";
import { readLifecycleEvents } from "../agent/lifecycle-events.ts";
import { startedBootMs } from "../agent/processes.ts";
import { inspectService } from "../agent/service.ts";
import { type AgentSettings, readAgentSettings } from "../agent/settings.ts";
import { CodeDeploy, type Tag } from "../aws/codedeploy.ts";
import { openNetwork } from "../aws/network.ts";
import { loadOperatorCredentials } from "../aws/operator.ts";
import type { Config } from "../config/config.ts";
import { CONFIG_FILE } from "../config/paths.ts";
import { EXIT } from "../exit-codes.ts";
import { errorCode, Failure } from "../failure.ts";
import { readClock } from "../host/clock.ts";
import { timeFactor } from "../host/service-environment.ts";
import { isBootedWithSystemd } from "../host/systemd.ts";
import { askYes, isInteractive } from "../host/terminal.ts";
import { describeTags, findOwnInstance } from "../registration/aws-steps.ts";
import { clonedMachine, differenceFromRegistered } from "../registration/clone.ts";
import { expectedSessionArn, operatorConnection, type World, whoAmI } from "../registration/identities.ts";
import type { Step } from "../registration/journey.ts";
import { readUsableRegistration } from "../registration/record.ts";
import { filesToRemove, removeFiles } from "../registration/removal.ts";
import { usage } from "../registration/request.ts";
import { isServiceOff, turnServiceOff } from "../registration/service-off.ts";
import { SERVICE } from "../registration/service-step.ts";
import { Progress, SILENT, type StepOutcome, standardOutput } from "../report/progress.ts";
import { answering, concludeJourney } from "./journey-answer.ts";
import { type Answering, type ConfigOption, print, printJson, readConfig } from "./options.ts";

export interface DeregisterOptions extends ConfigOption, Answering {
  profile?: string;
  keepFiles?: boolean;
  hostOnly?: boolean;
  dryRun?: boolean;
  yes?: boolean;
  force?: boolean;
}

export function deregister(options: DeregisterOptions): Promise<number> {
  return answering(options, () => deregisterHost(options));
}

async function deregisterHost(options: DeregisterOptions): Promise<number> {
  const path = options.config ?? CONFIG_FILE;
  if (await isMissing(path)) return answerNothingToDo(path, options);
  const { config } = await readConfig(options, { unknownKeys: "warn", requireTrusted: false });
  await refuseTwin(config, options);
  const reading = await readAgentSettings(config.agent.settingsFile);
  const settings = "settings" in reading ? reading.settings : null;
  await confirm(config, settings, options);
  const progress = new Progress(options.json ? SILENT : standardOutput());
  const { serial } = config;
  progress.say(
    `${options.dryRun ? "What deregistering would do, changing nothing" : "Deregistering"}: ${serial}\n`,
  );
  return concludeJourney({
    command: "deregister",
    steps: await deregisterSteps(config, settings, options),
    progress,
    json: options.json === true,
    success: {
      changed: () => `${serial} is deregistered. AWS keeps the name taken for hours.`,
      kept: () => `Nothing had to be changed: ${serial} is not registered, and nothing of ours runs here.`,
      planned: () => "Nothing was changed. Without --dry-run, the steps above are taken.",
    },
  });
}

async function isMissing(path: string): Promise<boolean> {
  return access(path).then(
    () => false,
    (error: unknown) => errorCode(error) === "ENOENT",
  );
}

function answerNothingToDo(path: string, { json }: Answering): number {
  const summary = `This host is not set up: there is no ${path}. Nothing had to be done.`;
  if (json) printJson({ result: "kept", steps: [], summary });
  else print(summary);
  return EXIT.done;
}

/** On a clone the name is its twin's. */
async function refuseTwin(config: Config, { hostOnly }: DeregisterOptions): Promise<void> {
  if (hostOnly) return;
  const registration = await readUsableRegistration(config.configFile);
  const difference = registration === null ? null : differenceFromRegistered(registration);
  if (registration === null || difference === null) return;
  const { kind, message } = clonedMachine(config.configFile, registration, difference);
  throw new Failure({
    kind,
    message: `${message}; deregistering here would take its name from it`,
    nextStep: "If this is the clone, clean up this host alone: idc-helper deregister --host-only",
  });
}

async function confirm(
  config: Config,
  settings: AgentSettings | null,
  options: DeregisterOptions,
): Promise<void> {
  if (options.yes || options.dryRun) return;
  if (options.json || !isInteractive()) {
    throw usage(
      ["deregistering asks first, and there is no terminal to ask on: add --yes"],
      "idc-helper deregister --yes",
    );
  }
  const files = options.keepFiles ? [] : await filesToRemove(config, settings);
  const what = options.hostOnly
    ? "AWS is left as it is."
    : `${config.serial} in ${config.region} loses its tags and is deregistered: no deployment reaches this host any more, and AWS keeps the name taken for hours.`;
  print(
    `${what}\nThen the service is stopped.${files.length === 0 ? "" : ` Removed are:\n  ${files.join("\n  ")}`}\n`,
  );
  if (await askYes(`Deregister ${config.serial}?`)) return;
  throw new Failure({ kind: "interrupted", message: "not deregistered", nextStep: "Nothing was changed." });
}

async function deregisterSteps(
  config: Config,
  settings: AgentSettings | null,
  options: DeregisterOptions,
): Promise<Step[]> {
  const { dryRun = false, hostOnly = false, keepFiles = false } = options;
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
        const { requestHandler } = world.network;
        const profile = options.profile ?? null;
        const operator = await loadOperatorCredentials({ profile, region: config.region, requestHandler });
        const caller = await whoAmI(world, operator);
        codedeploy = new CodeDeploy(operatorConnection("codedeploy", world, operator));
        // Asked before anything is changed: it may be another's.
        await findOwnInstance(codedeploy, wanted);
        return { state: "ok", detail: `${caller.arn} (${operator.source})` };
      },
    },
    {
      id: "events",
      title: "See that nothing is being deployed",
      run: () => seeNoEvent(config, settings, options.force === true),
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
