/**
 * The steps that both kinds of old host have in common, from the backup to the agent that polls with our credentials.
 * In this order the agent always has credentials that work: ours are there before its config names them, and what
 * refreshes the old ones is in force until it has let go of them.
 */
import { inspectService } from "../agent/service.ts";
import { adoptionDirectory, registrationFile } from "../config/paths.ts";
import { Failure } from "../failure.ts";
import { showUnit } from "../host/systemd.ts";
import { dropIns } from "../registration/agent-access.ts";
import { planAgentConfig, setAgentConfig, startAgent } from "../registration/agent-steps.ts";
import { type HostFiles, planFiles, showFiles, writeFiles } from "../registration/host-files.ts";
import { readRegistration, writeRegistration } from "../registration/record.ts";
import { seeAgentPoll } from "../registration/see-agent-poll.ts";
import { SERVICE, startService } from "../registration/service-step.ts";
import type { StepOutcome } from "../report/progress.ts";
import { hasLoaded, haveItLoaded } from "./agent-load.ts";
import { type ChangeStep, kept, planned } from "./change-step.ts";
import { type Manifest, readManifest, saveFile, writeManifest } from "./manifest.ts";
import type { Findings } from "./request.ts";

export const AGAIN = "idc-helper adopt";

export interface Takeover {
  findings: Findings;
  factor: number;
  /** What the manifest says of the old way. */
  old: Manifest["old"];
}

/** Everything that will be changed is kept before the first of it is. */
export function backupStep({ findings, old }: Takeover): ChangeStep {
  const { composed, settings, jobs, sessionArn } = findings;
  const { configFile, serial, region, roleArn, baseCredentials } = composed.config;
  const directory = adoptionDirectory(configFile);
  const paths = [
    settings.onPremisesConfigFile,
    configFile,
    baseCredentials.file,
    registrationFile(configFile),
    ...dropIns(composed.config, settings).map(({ path }) => path),
    ...new Set(jobs.map(({ file }) => file)),
  ];
  return {
    id: "backup",
    title: "Keep what is there now",
    plan: async () =>
      (await readManifest(configFile)) === null
        ? planned(`keep copies of what is changed in ${directory} (0700), for adopt --undo`)
        : kept(`kept in ${directory}`),
    run: async () => {
      if ((await readManifest(configFile)) !== null) return kept(`kept in ${directory}`);
      const files = [];
      for (const [index, path] of paths.entries()) files.push(await saveFile(configFile, path, index));
      await writeManifest(configFile, {
        schema: 1,
        state: "adopting",
        startedAt: new Date().toISOString(),
        undoStartedAt: null,
        serial,
        region,
        roleArn,
        sessionArn,
        old,
        onPremisesConfigFile: settings.onPremisesConfigFile,
        jobs,
        files,
      });
      return { state: "done", detail: `kept in ${directory}, for adopt --undo` };
    },
  };
}

/** Whether the steps before have changed what the running service has read. */
export interface Changes {
  isConfigChanged: boolean;
  isBaseChanged: boolean;
  isUnitChanged: boolean;
}

export function filesStep({ findings, old }: Takeover, changes: Changes): ChangeStep {
  const { composed, material, sessionArn, previous, instance, settings } = findings;
  const tags = previous?.tags ?? (old.kind === "user" ? old.tags : (instance?.tags ?? []));
  const files = (): HostFiles =>
    planFiles({ composed, base: material, sessionArn, tags, previous, settings });
  return {
    id: "files",
    title: "Write config and base credentials",
    plan: () => showFiles(files()),
    run: async () => {
      const { outcome, ...changed } = await writeFiles(files());
      Object.assign(changes, changed);
      return outcome;
    },
  };
}

export function serviceStep({ findings }: Takeover, changes: Changes): ChangeStep {
  const { composed, sessionArn } = findings;
  return {
    id: "service",
    title: "Start the service, get credentials",
    plan: async () => {
      const unit = await showUnit(SERVICE, ["ActiveState", "UnitFileState"]).catch(() => null);
      const isUp = unit?.get("ActiveState") === "active" && unit.get("UnitFileState") === "enabled";
      return isUp
        ? kept("it is enabled and runs")
        : planned(`enable and start ${SERVICE}, wait for its first credentials`);
    },
    run: () => startService({ config: composed.config, sessionArn, ...changes }),
  };
}

export function agentSteps({ findings, factor }: Takeover, isPollRequired: boolean): ChangeStep[] {
  const { settings, sessionArn } = findings;
  const { config } = findings.composed;
  const unit = config.agent.service;
  return [
    {
      id: "agent-config",
      title: "Switch the agent's config to them",
      plan: () => planAgentConfig(config, settings),
      run: () => setAgentConfig(config, factor),
    },
    {
      id: "agent-start",
      title: "Have the agent run",
      plan: async () => {
        const { state } = await inspectService(unit, settings);
        return state === "running" ? kept(`${unit} runs`) : planned(`start ${unit}, which is ${state}`);
      },
      run: () => startAgent(config, settings, factor),
    },
    {
      id: "agent-load",
      title: "Have the agent load it",
      plan: async () => {
        const isSwitched = (await planAgentConfig(config, settings)).state === "kept";
        const isLoaded = isSwitched && hasLoaded(await inspectService(unit, settings), settings);
        return isLoaded
          ? kept("it has")
          : planned("reload the agent gracefully: never during a lifecycle event");
      },
      run: () => haveItLoaded(config, settings, factor, AGAIN),
    },
    {
      id: "poll",
      title: "See the agent poll",
      plan: async () => planned(`wait until it polls as ${sessionArn}`),
      run: async () => demandPoll(await seeAgentPoll(config, settings, sessionArn), isPollRequired),
    },
  ];
}

/** Before the old registration is given up, the new one must be seen at work. */
function demandPoll(outcome: StepOutcome, isRequired: boolean): StepOutcome {
  if (outcome.state !== "note" || !isRequired) return outcome;
  throw new Failure({
    kind: "timeout",
    message: outcome.detail,
    nextStep: `The old registration is left as it is. Once the agent polls, run ${AGAIN} again. ${outcome.notes?.join(" ") ?? ""}`,
  });
}

export function finishStep({ findings }: Takeover): ChangeStep {
  const { configFile } = findings.composed.config;
  const isDone = async () => {
    const registration = await readRegistration(configFile).catch(() => null);
    return (await readManifest(configFile))?.state === "adopted" && registration?.state === "complete";
  };
  return {
    id: "finish",
    title: "Note that this host is adopted",
    plan: async () =>
      (await isDone()) ? kept("noted") : planned("note it, for deregister, doctor and adopt --undo"),
    run: async () => {
      if (await isDone()) return kept("noted");
      const registration = await readRegistration(configFile);
      if (registration !== null) await writeRegistration(configFile, { ...registration, state: "complete" });
      const manifest = await readManifest(configFile);
      if (manifest !== null) await writeManifest(configFile, { ...manifest, state: "adopted" });
      return { state: "done", detail: "adopted" };
    },
  };
}
