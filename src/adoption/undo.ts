/**
 * `adopt --undo`: the host as it was. In this order the agent always has credentials that work: what refreshes the old
 * file is in force first, the old file is fresh, and only then do our service and our config go.
 */

import { takeRequest } from "../agent/exchange.ts";
import { inspectService } from "../agent/service.ts";
import type { AgentSettings } from "../agent/settings.ts";
import type { CodeDeploy } from "../aws/codedeploy.ts";
import type { Config } from "../config/config.ts";
import { changeUnits, showUnit } from "../host/systemd.ts";
import { seeAgentPoll } from "../registration/see-agent-poll.ts";
import { PATH_UNIT, SERVICE } from "../registration/service-step.ts";
import { hasLoaded, haveItLoaded } from "./agent-load.ts";
import { type ChangeStep, kept, planned } from "./change-step.ts";
import { currentText, places } from "./cron-step.ts";
import { enableLine } from "./crontab.ts";
import { changeCrontab } from "./crontab-files.ts";
import { type Manifest, writeManifest } from "./manifest.ts";
import { freshenOldFile, wasWrittenSince } from "./old-credentials.ts";
import { agentConfigStep, filesStep, forgetStep } from "./undo-files.ts";

const AGAIN = "idc-helper adopt --undo";
const STOP_LIMIT_MS = 100_000;

export interface Undo {
  config: Config;
  settings: AgentSettings;
  manifest: Manifest;
  /** Only the kind with an IAM user has a registration to take back. */
  codedeploy: CodeDeploy | null;
  factor: number;
  env: NodeJS.ProcessEnv;
}

export function undoSteps(undo: Undo): ChangeStep[] {
  const { manifest, codedeploy } = undo;
  const { old } = manifest;
  const steps: (ChangeStep | false)[] = [
    beginStep(undo),
    cronBackStep(undo),
    old.kind === "session" && freshStep(undo, old.credentialsFile),
    serviceStep(undo),
    agentConfigStep(undo),
    agentLoadStep(undo),
    pollStep(undo),
    old.kind === "user" && codedeploy !== null && deregisterStep(undo, codedeploy),
    filesStep(undo),
    forgetStep(undo),
  ];
  return steps.filter((step) => step !== false);
}

function beginStep({ manifest, config }: Undo): ChangeStep {
  return {
    id: "begin",
    title: "Note that an undo has begun",
    plan: async () => (manifest.state === "undoing" ? kept("noted") : planned("note it")),
    run: async () => {
      if (manifest.state === "undoing") return kept("noted");
      manifest.state = "undoing";
      manifest.undoStartedAt = new Date().toISOString();
      await writeManifest(config.configFile, manifest);
      return { state: "done", detail: "noted" };
    },
  };
}

function cronBackStep({ manifest: { jobs } }: Undo): ChangeStep {
  const disabled = async () => {
    const found = [];
    for (const job of jobs)
      if (enableLine(await currentText(job.file), job.content) !== null) found.push(job);
    return found;
  };
  return {
    id: "cron",
    title: "Put the old crontab entry in force",
    plan: async () => {
      const found = await disabled();
      return found.length === 0 ? kept("it is, or there was none") : planned(`uncomment ${places(found)}`);
    },
    run: async () => {
      const found = await disabled();
      for (const { file, content } of found) await changeCrontab(file, (text) => enableLine(text, content));
      if (found.length === 0) return kept("it is, or there was none");
      return { state: "done", detail: `uncommented ${places(found)}` };
    },
  };
}

function freshStep({ config, manifest, factor, env }: Undo, path: string): ChangeStep {
  const isFresh = () => wasWrittenSince(path, manifest.undoStartedAt);
  return {
    id: "old-credentials",
    title: "Have the old file hold good credentials",
    plan: async () =>
      (await isFresh()) ? kept(`${path} is fresh`) : planned(`put a fresh session into ${path}`),
    run: async () =>
      (await isFresh()) ? kept(`${path} is fresh`) : freshenOldFile(path, config, factor, env),
  };
}

/** With the path unit, and with the request that may still wait: it would switch the agent to us again. */
function serviceStep({ config }: Undo): ChangeStep {
  const isIdle = async () => {
    const unit = await showUnit(SERVICE, ["ActiveState", "UnitFileState"]).catch(() => null);
    const requests = await showUnit(PATH_UNIT, ["ActiveState"]).catch(() => null);
    const isStopped = unit?.get("ActiveState") !== "active" && unit?.get("UnitFileState") !== "enabled";
    return isStopped && requests?.get("ActiveState") !== "active";
  };
  return {
    id: "service",
    title: "Stop our service",
    plan: async () => ((await isIdle()) ? kept(`${SERVICE} is off`) : planned(`stop and disable ${SERVICE}`)),
    run: async () => {
      const wasIdle = await isIdle();
      if (!wasIdle) {
        await changeUnits(STOP_LIMIT_MS, ["stop"], [PATH_UNIT]);
        await changeUnits(STOP_LIMIT_MS, ["disable", "--now"], [SERVICE]);
      }
      await takeRequest(config.paths);
      return wasIdle
        ? kept(`${SERVICE} is off`)
        : { state: "done", detail: `${SERVICE} is stopped and disabled` };
    },
  };
}

function agentLoadStep({ config, settings, factor }: Undo): ChangeStep {
  return {
    id: "agent-load",
    title: "Have the agent load it",
    plan: async () => planned("reload the agent gracefully: never during a lifecycle event"),
    run: () => haveItLoaded(config, settings, factor, AGAIN),
  };
}

function pollStep({ config, settings, manifest }: Undo): ChangeStep {
  const who = manifest.old.kind === "user" ? manifest.old.userArn : manifest.sessionArn;
  return {
    id: "poll",
    title: "See the agent poll",
    plan: async () => planned(`wait until it polls as ${who}`),
    run: async () => {
      const service = await inspectService(config.agent.service, settings);
      if (service.state !== "running" || !hasLoaded(service, settings)) return kept("the agent does not run");
      return seeAgentPoll(config, settings, who);
    },
  };
}

/** Only once the agent polls under the old name again; what `adopt` registered is then of no use. */
function deregisterStep({ manifest: { serial, sessionArn } }: Undo, codedeploy: CodeDeploy): ChangeStep {
  const find = async () => {
    const found = await codedeploy.get(serial);
    return found?.deregisteredAt === null && found.sessionArn === sessionArn ? found : null;
  };
  return {
    id: "registration",
    title: "Deregister what adopt registered",
    plan: async () =>
      (await find()) === null ? kept(`${serial} is not registered`) : planned(`deregister ${serial}`),
    run: async () => {
      if ((await find()) === null) return kept(`${serial} is not registered`);
      await codedeploy.deregister(serial);
      return { state: "done", detail: `${serial} is deregistered; AWS keeps the name taken for hours` };
    },
  };
}
