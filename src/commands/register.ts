/** `idc-helper register`: takes this host from nothing to deployable. Run again, it does only what is left to do. */
import { agentSource, installAgent, latestPackage } from "../agent/install.ts";
import { readAgentVersion } from "../agent/installation.ts";
import { inspectService } from "../agent/service.ts";
import { type AgentSettings, readAgentSettings } from "../agent/settings.ts";
import { CodeDeploy } from "../aws/codedeploy.ts";
import { openNetwork } from "../aws/network.ts";
import { loadOperatorCredentials, type OperatorCredentials } from "../aws/operator.ts";
import type { CallerIdentity } from "../aws/sts.ts";
import type { Config } from "../config/config.ts";
import { configFromText } from "../config/load.ts";
import { CONFIG_FILE } from "../config/paths.ts";
import { Failure } from "../failure.ts";
import { readTextIfPresent } from "../host/read-file.ts";
import { timeFactor } from "../host/service-environment.ts";
import { askYes, isInteractive } from "../host/terminal.ts";
import { readerGroupOf } from "../registration/agent-access.ts";
import { planAgentConfig, seeAgentPoll, setAgentConfig, startAgent } from "../registration/agent-steps.ts";
import { addTags, describeTags, registerInstance } from "../registration/aws-steps.ts";
import { type BaseMaterial, gatherBaseMaterial } from "../registration/base-material.ts";
import { clonedMachine, differenceFromRegistered } from "../registration/clone.ts";
import { type ComposedConfig, composeConfig } from "../registration/config-text.ts";
import { planFiles, showFiles, writeFiles } from "../registration/host-files.ts";
import { checkHost } from "../registration/host-step.ts";
import {
  checkAssumeRole,
  expectedSessionArn,
  operatorConnection,
  type World,
  whoAmI,
} from "../registration/identities.ts";
import type { Step } from "../registration/journey.ts";
import { type Registration, readRegistration, writeRegistration } from "../registration/record.ts";
import { parseRequest, type RegisterFlags, type RegisterRequest, usage } from "../registration/request.ts";
import { startService } from "../registration/service-step.ts";
import { Progress, SILENT, type StepOutcome, standardOutput } from "../report/progress.ts";
import { concludeJourney } from "./journey-answer.ts";
import type { Answering, ConfigOption } from "./options.ts";

const DEFAULT_AGENT = "codedeploy-agent.service";

export interface RegisterOptions extends RegisterFlags, ConfigOption, Answering {
  baseCredentials?: string;
  profile?: string;
  installAgent?: boolean;
  agentSource?: string;
  dryRun?: boolean;
  replace?: boolean;
  sameHost?: boolean;
  yes?: boolean;
}

export async function register(options: RegisterOptions): Promise<number> {
  const progress = new Progress(options.json ? SILENT : standardOutput());
  const situation = await readSituation(options);
  progress.say(
    `${options.dryRun ? "What registering would do, changing nothing" : "Registering this host"}: ${situation.request.serial} in ${situation.request.region}\n`,
  );
  const steps = await registerSteps(options, situation, progress);
  return concludeJourney({
    command: "register",
    steps,
    progress,
    ...options,
    success: successOf(situation.request),
  });
}

function successOf({ serial }: RegisterRequest) {
  return {
    changed: `${serial} is registered, and its agent has what it needs. See how it stands: idc-helper status`,
    kept: `Nothing had to be changed: ${serial} is registered, and its agent has what it needs.`,
    planned: "Nothing was changed. Without --dry-run, the steps above are taken.",
  };
}

interface Situation {
  request: RegisterRequest;
  composed: ComposedConfig;
  previous: Registration | null;
  sessionArn: string;
}

/** What is asked for, and what is there: before anything is shown. */
async function readSituation(options: RegisterOptions): Promise<Situation> {
  const path = options.config ?? CONFIG_FILE;
  const existing = await readTextIfPresent(path, { maxBytes: 256 * 1_024, followLink: true }).catch(
    () => null,
  );
  const present = existing === null ? null : presentConfig(existing, path);
  const request = parseRequest(options, present);
  if (options.agentSource !== undefined && agentSource(options.agentSource, request.region) === null) {
    throw usage([
      "--agent-source must be an https:// URL without user, password and query, a file:// URL or an absolute path: what it gives is run as root",
    ]);
  }
  const previous = await readPrevious(path);
  refuseOtherSerial(options, request, present);
  if (previous?.serial === request.serial && !options.sameHost) {
    const difference = differenceFromRegistered(previous);
    if (difference !== null) throw clonedMachine(path, previous, difference);
  }
  const agentUnit = present?.agent.service ?? DEFAULT_AGENT;
  const readerGroup = present?.credentialsFile.group ?? (await readerGroupOf(agentUnit));
  const composed = composeConfig(existing, path, { ...request, readerGroup }, process.env);
  return {
    request: withTagsOf(previous, request),
    composed,
    previous,
    sessionArn: expectedSessionArn(composed.config),
  };
}

/** One that is incomplete, or wrong, has nothing to say for the flags. */
function presentConfig(text: string, path: string): Config | null {
  try {
    return configFromText(text, { path, unknownKeys: "warn", env: process.env }).config;
  } catch {
    return null;
  }
}

async function readPrevious(path: string): Promise<Registration | null> {
  try {
    return await readRegistration(path);
  } catch {
    // Unreadable, or another version's: it is written anew.
    return null;
  }
}

/** Tags that an earlier run was asked for and may not have come to. */
function withTagsOf(previous: Registration | null, request: RegisterRequest): RegisterRequest {
  const isAgain = previous?.serial === request.serial && request.tags.length === 0;
  return isAgain ? { ...request, tags: previous.tags } : request;
}

function refuseOtherSerial(
  { replace }: RegisterOptions,
  { serial, region, roleArn }: RegisterRequest,
  present: Config | null,
): void {
  if (replace || present === null || present.serial === serial) return;
  throw new Failure({
    kind: "conflict",
    message: `this host is set up as ${present.serial} (${present.configFile}), not ${serial}`,
    nextStep: `To give it another name, deregister it first: idc-helper deregister. If it is a clone, whose twin keeps the name ${present.serial}: idc-helper register --replace --serial ${serial} --region ${region} --role-arn ${roleArn}`,
  });
}

async function registerSteps(
  options: RegisterOptions,
  { request, composed, previous, sessionArn }: Situation,
  progress: Progress,
): Promise<Step[]> {
  const { config } = composed;
  const { dryRun = false } = options;
  const factor = timeFactor();
  const world: World = { config, network: await openNetwork(config, factor, process.env), env: process.env };
  let settings: AgentSettings;
  let operator: OperatorCredentials;
  let caller: CallerIdentity;
  let material: BaseMaterial;
  let codedeploy: CodeDeploy;
  let isConfigChanged = false;
  let isBaseChanged = false;
  let isUnitChanged = false;
  const planned = (detail: string): StepOutcome => ({ state: "plan", detail });

  const steps: (Step | false)[] = [
    {
      id: "arguments",
      title: "Check the arguments",
      run: async () => {
        const { serialExplanation, tags } = request;
        const derived = serialExplanation === null ? "" : `; the serial is ${serialExplanation}`;
        const detail = `${sessionArn}${tags.length === 0 ? "" : `; tags ${describeTags(tags)}`}${derived}`;
        if (derived !== "" && previous === null && !dryRun)
          await confirmSerial(request.serial, options, progress);
        return { state: "ok", detail };
      },
    },
    options.installAgent === true && {
      id: "install-agent",
      title: "Install the CodeDeploy agent",
      run: () => installAgentStep(options, world, dryRun),
    },
    {
      id: "host",
      title: "Check the host",
      run: async () => {
        const check = await checkHost(config, world.network, process.env);
        settings = check.facts.settings;
        return check.outcome;
      },
    },
    {
      id: "operator",
      title: "Identify the operator",
      run: async () => {
        const { requestHandler } = world.network;
        operator = await loadOperatorCredentials({
          profile: options.profile ?? null,
          region: config.region,
          requestHandler,
        });
        caller = await whoAmI(world, operator);
        codedeploy = new CodeDeploy(operatorConnection("codedeploy", world, operator));
        return { state: "ok", detail: `${caller.arn} (${operator.source}); not kept on this host` };
      },
    },
    {
      id: "assume-role",
      title: "Assume the host's role",
      run: async () => {
        const mayAsk = !options.json && !dryRun;
        if (mayAsk) progress.clear();
        material = await gatherBaseMaterial({ given: options.baseCredentials, config, operator, mayAsk });
        return checkAssumeRole(world, material, caller);
      },
    },
    {
      id: "files",
      title: "Write config and base credentials",
      run: async () => {
        const files = planFiles({
          composed,
          base: material,
          sessionArn,
          tags: request.tags,
          previous,
          settings,
        });
        if (dryRun) return showFiles(files);
        const written = await writeFiles(files);
        ({ isConfigChanged, isBaseChanged, isUnitChanged } = written);
        return written.outcome;
      },
    },
    {
      id: "service",
      title: "Start the service, get credentials",
      run: async () => {
        if (dryRun)
          return planned("enable and start idc-codedeploy-helper.service, wait for its first credentials");
        return startService({ config, sessionArn, isConfigChanged, isBaseChanged, isUnitChanged });
      },
    },
    {
      id: "registration",
      title: "Register with CodeDeploy",
      run: () =>
        registerInstance(codedeploy, { serial: request.serial, sessionArn, region: config.region }, !dryRun),
    },
    {
      id: "tags",
      title: "Tag the instance",
      run: () => addTags(codedeploy, request.serial, request.tags, !dryRun),
    },
    {
      id: "agent-config",
      title: "Set the agent's config",
      run: () => (dryRun ? planAgentConfig(config, settings) : setAgentConfig(config, factor)),
    },
    {
      id: "agent-start",
      title: "Have the agent run",
      run: async () => {
        if (!dryRun) return startAgent(config, settings);
        const { state } = await inspectService(config.agent.service, settings);
        return state === "running"
          ? { state: "kept", detail: `${config.agent.service} runs` }
          : planned(`start ${config.agent.service}, which is ${state}`);
      },
    },
    {
      id: "verify",
      title: "Read back, and see the agent poll",
      run: async () => {
        if (dryRun) return planned("read the registration back, and wait until the agent polls with it");
        await readBack(codedeploy, request, sessionArn);
        const outcome = await seeAgentPoll(config, settings, sessionArn);
        await completeRecord(config);
        return outcome;
      },
    },
  ];
  return steps.filter((step) => step !== false);
}

/** What is derived cannot be changed later without deregistering: somebody should have seen it. */
async function confirmSerial(
  serial: string,
  { yes, json }: RegisterOptions,
  progress: Progress,
): Promise<void> {
  if (yes || json || !isInteractive()) return;
  progress.clear();
  if (
    await askYes(`Register this host as ${serial}? The name cannot be changed later without deregistering.`)
  )
    return;
  throw new Failure({
    kind: "interrupted",
    message: `the serial ${serial} was not accepted`,
    nextStep: "Give another: --serial NAME",
  });
}

async function installAgentStep(
  options: RegisterOptions,
  { config, network }: World,
  dryRun: boolean,
): Promise<StepOutcome> {
  const reading = await readAgentSettings(config.agent.settingsFile);
  const service = "settings" in reading ? await inspectService(config.agent.service, reading.settings) : null;
  const version = await readAgentVersion();
  if (service !== null && service.state !== "absent")
    return { state: "kept", detail: `version ${version ?? "unknown"} is there and left alone` };
  if (process.geteuid?.() !== 0) {
    throw new Failure({
      kind: "host_not_ready",
      message: "installing the agent needs root",
      nextStep: "Use sudo.",
    });
  }
  const source = agentSource(options.agentSource, config.region) ?? { base: "" };
  const place = await latestPackage(source, network);
  if (dryRun) return { state: "plan", detail: `install ${source.base}/${place}` };
  await installAgent(source, place, network);
  return { state: "done", detail: `installed ${(await readAgentVersion()) ?? place} from ${source.base}` };
}

/** What AWS has is what was asked for: a registration without its tags must not pass for done. */
async function readBack(
  codedeploy: CodeDeploy,
  { serial, tags }: RegisterRequest,
  sessionArn: string,
): Promise<void> {
  const instance = await codedeploy.get(serial);
  const missing = tags.filter(
    ({ key, value }) => !instance?.tags.some((tag) => tag.key === key && tag.value === value),
  );
  const isRegistered =
    instance !== null && instance.deregisteredAt === null && instance.sessionArn === sessionArn;
  if (isRegistered && missing.length === 0) return;
  throw new Failure({
    kind: "bad_answer",
    message: isRegistered
      ? `AWS does not show the tags ${describeTags(missing)} of ${serial}`
      : `AWS does not show ${serial} as registered with ${sessionArn}`,
    nextStep: "Somebody else may be changing it. Run the same command again.",
  });
}

async function completeRecord({ configFile }: Config): Promise<void> {
  const registration = await readRegistration(configFile);
  if (registration !== null && registration.state !== "complete")
    await writeRegistration(configFile, { ...registration, state: "complete" });
}
