/**
 * `adopt --undo`: the host as it was. In this order the agent always has credentials that work: what refreshes the old
 * file is in force first, the old file is fresh, and our service goes on until the agent has let go of our credentials,
 * which a long lifecycle event may put off for hours.
 */
import { inspectService } from "../agent/service.ts";
import type { AgentSettings } from "../agent/settings.ts";
import type { CodeDeploy } from "../aws/codedeploy.ts";
import type { Config } from "../config/config.ts";
import { Failure } from "../failure.ts";
import { seeAgentPoll } from "../registration/see-agent-poll.ts";
import {
  areRequestsCarried,
  isServiceOff,
  stopCarryingRequests,
  turnServiceOff,
} from "../registration/service-off.ts";
import { PATH_UNIT, SERVICE } from "../registration/service-step.ts";
import type { StepOutcome } from "../report/progress.ts";
import { hasLoaded, haveItLoaded } from "./agent-load.ts";
import { type ChangeStep, kept, planned } from "./change-step.ts";
import { currentText, places } from "./cron-step.ts";
import { enableLine, hasLine } from "./crontab.ts";
import { changeCrontab } from "./crontab-files.ts";
import { isAsSaved, type Manifest, type SavedJob, writeManifest } from "./manifest.ts";
import { freshenOldFile, wasWrittenSince } from "./old-credentials.ts";
import { agentConfigStep, filesStep, forgetStep, savedConfig } from "./undo-files.ts";

const AGAIN = "idc-helper adopt --undo";

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
    requestsStep(),
    agentConfigStep(undo),
    agentLoadStep(undo),
    pollStep(undo),
    serviceStep(undo),
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
  const look = async () => {
    const disabled: SavedJob[] = [];
    const lost: SavedJob[] = [];
    for (const job of jobs) {
      const text = await currentText(job.file);
      if (enableLine(text, job.content) !== null) disabled.push(job);
      else if (!hasLine(text, job.content)) lost.push(job);
    }
    return { disabled, lost };
  };
  return {
    id: "cron",
    title: "Put the old crontab entry in force",
    plan: async () => {
      const { disabled, lost } = await look();
      if (disabled.length > 0) return planned(`uncomment ${places(disabled)}`, lost.map(describeLost));
      return lost.length === 0 ? kept("it is, or there was none") : isLost(lost);
    },
    run: async () => {
      const { disabled, lost } = await look();
      for (const { file, content } of disabled)
        await changeCrontab(file, (text) => enableLine(text, content));
      if (lost.length > 0) return isLost(lost);
      if (disabled.length === 0) return kept("it is, or there was none");
      return { state: "done", detail: `uncommented ${places(disabled)}` };
    },
  };
}

/** Removed since, or changed: somebody else's work, which is not undone. */
function isLost(jobs: readonly SavedJob[]): StepOutcome {
  return { state: "note", detail: `${places(jobs)} is gone`, notes: jobs.map(describeLost) };
}

function describeLost({ file, line }: SavedJob): string {
  return `The entry that stood at ${file}:${line} is no longer there as adopt left it: see to it by hand, or nothing refreshes the old file, whose credentials then expire.`;
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

function requestsStep(): ChangeStep {
  return {
    id: "requests",
    title: "Stop what would switch the agent back",
    plan: async () =>
      (await areRequestsCarried()) ? planned(`stop ${PATH_UNIT}`) : kept(`${PATH_UNIT} does not run`),
    run: async () => {
      if (!(await areRequestsCarried())) return kept(`${PATH_UNIT} does not run`);
      await stopCarryingRequests();
      return { state: "done", detail: `${PATH_UNIT} is stopped` };
    },
  };
}

function serviceStep({ config, manifest }: Undo): ChangeStep {
  return {
    id: "service",
    title: "Stop our service",
    plan: async () =>
      (await isServiceOff()) ? kept(`${SERVICE} is off`) : planned(`stop and disable ${SERVICE}`),
    run: async () => {
      // A service that was started anew in the meantime brings its requests back.
      if (!(await isAsSaved(config.configFile, savedConfig(manifest)))) throw switchedBack(manifest);
      if (await isServiceOff()) return kept(`${SERVICE} is off`);
      await turnServiceOff(config.paths);
      return { state: "done", detail: `${SERVICE} is stopped and disabled` };
    },
  };
}

function switchedBack({ onPremisesConfigFile }: Manifest): Failure {
  return new Failure({
    kind: "busy",
    message: `${onPremisesConfigFile} was changed again after it had been put back`,
    nextStep: `Nothing is broken: our service still renews the agent's credentials. Run ${AGAIN} again.`,
  });
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
