/** `idc-helper register`: takes this host from nothing to deployable. Run again, it does only what is left to do. */
import { inspectService } from "../agent/service.ts";
import { type AgentSettings, readAgentSettings } from "../agent/settings.ts";
import { CodeDeploy } from "../aws/codedeploy.ts";
import { openNetwork } from "../aws/network.ts";
import { loadOperatorCredentials, type OperatorCredentials } from "../aws/operator.ts";
import type { CallerIdentity } from "../aws/sts.ts";
import { exitCodeOf } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { timeFactor } from "../host/service-environment.ts";
import { askYes, isInteractive } from "../host/terminal.ts";
import { planAgentConfig, seeAgentPoll, setAgentConfig, startAgent } from "../registration/agent-steps.ts";
import { addTags, describeTags, findName, registerInstance } from "../registration/aws-steps.ts";
import { type BaseMaterial, gatherBaseMaterial } from "../registration/base-material.ts";
import { planFiles, showFiles, writeFiles } from "../registration/host-files.ts";
import { checkHost } from "../registration/host-step.ts";
import { checkAssumeRole, operatorConnection, type World, whoAmI } from "../registration/identities.ts";
import { installAgentStep } from "../registration/install-step.ts";
import type { Step } from "../registration/journey.ts";
import { completeRecord, readBack } from "../registration/read-back.ts";
import type { RegisterRequest } from "../registration/request.ts";
import { isServiceInOrder, SERVICE, startService } from "../registration/service-step.ts";
import { readSituation, type Situation, type SituationFlags } from "../registration/situation.ts";
import { Progress, SILENT, type StepOutcome, standardOutput } from "../report/progress.ts";
import { concludeJourney } from "./journey-answer.ts";
import { type Answering, type ConfigOption, printJson } from "./options.ts";

export interface RegisterOptions extends SituationFlags, ConfigOption, Answering {
  baseCredentials?: string;
  profile?: string;
  installAgent?: boolean;
  dryRun?: boolean;
  yes?: boolean;
}

export async function register(options: RegisterOptions): Promise<number> {
  try {
    return await registerHost(options);
  } catch (error) {
    // What comes before the first step; programs are answered in one way.
    if (!options.json || !(error instanceof Failure)) throw error;
    printJson({ result: "failed", ...error.report(), steps: [], left: [] }, { isLong: true });
    return exitCodeOf(error.kind);
  }
}

async function registerHost(options: RegisterOptions): Promise<number> {
  const progress = new Progress(options.json ? SILENT : standardOutput());
  const situation = await readSituation(options);
  progress.say(
    `${options.dryRun ? "What registering would do, changing nothing" : "Registering this host"}: ${situation.request.serial} in ${situation.request.region}\n`,
  );
  const success = successOf(situation.request);
  const steps = await registerSteps(options, situation, progress, (poll) => {
    if (poll.state === "ok") return;
    success.changed =
      success.kept = `${situation.request.serial} is registered, but its agent was not seen polling: see above.`;
  });
  return concludeJourney({ command: "register", steps, progress, ...options, success });
}

function successOf({ serial }: RegisterRequest) {
  return {
    changed: `${serial} is registered, and its agent has what it needs. See how it stands: idc-helper status`,
    kept: `Nothing had to be changed: ${serial} is registered, and its agent has what it needs.`,
    planned: "Nothing was changed. Without --dry-run, the steps above are taken.",
  };
}

async function registerSteps(
  options: RegisterOptions,
  { request, composed, previous, sessionArn }: Situation,
  progress: Progress,
  onPollSeen: (outcome: StepOutcome) => void,
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
  const wanted = { serial: request.serial, sessionArn, region: config.region };
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
          await confirmSerial(request.serial, `${serialExplanation}`, options, progress);
        return { state: "ok", detail };
      },
    },
    {
      id: "host",
      title: "Check the host",
      run: async () => {
        const { installAgent: willInstallAgent = false } = options;
        const check = await checkHost(config, world.network, process.env, { willInstallAgent });
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
      id: "name",
      title: "See that the name is free",
      run: () => findName(codedeploy, { ...wanted, tags: request.tags }),
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
    options.installAgent === true && {
      id: "install-agent",
      title: "Install the CodeDeploy agent",
      run: async () => {
        const outcome = await installAgentStep(options.agentSource, world, !dryRun);
        const reading = await readAgentSettings(config.agent.settingsFile);
        if ("settings" in reading) ({ settings } = reading);
        return outcome;
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
        if (dryRun) {
          const outcome = await showFiles(files);
          isConfigChanged = outcome.state === "plan";
          return outcome;
        }
        const written = await writeFiles(files);
        ({ isConfigChanged, isBaseChanged, isUnitChanged } = written);
        return written.outcome;
      },
    },
    {
      id: "service",
      title: "Start the service, get credentials",
      run: async () => {
        if (dryRun && !isConfigChanged && (await isServiceInOrder(config, sessionArn)))
          return { state: "kept", detail: `${SERVICE} runs, with credentials` };
        if (dryRun) return planned(`enable and start ${SERVICE}, wait for its first credentials`);
        return startService({ config, sessionArn, isConfigChanged, isBaseChanged, isUnitChanged });
      },
    },
    {
      id: "registration",
      title: "Register with CodeDeploy",
      run: () => registerInstance(codedeploy, wanted, !dryRun),
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
        if (state === "running") return { state: "kept", detail: `${config.agent.service} runs` };
        const when = state === "absent" ? "once it is installed" : `which is ${state}`;
        return planned(`start ${config.agent.service}, ${when}`);
      },
    },
    {
      id: "verify",
      title: "Read back, and see the agent poll",
      run: async () => {
        if (dryRun)
          return {
            state: "kept",
            detail: "the registration would be read back, and the agent's next poll waited for",
          };
        await readBack(codedeploy, request, sessionArn);
        const outcome = await seeAgentPoll(config, settings, sessionArn);
        await completeRecord(config);
        onPollSeen(outcome);
        return outcome;
      },
    },
  ];
  return steps.filter((step) => step !== false);
}

/** What is derived cannot be changed later without deregistering: somebody should have seen it. */
async function confirmSerial(
  serial: string,
  explanation: string,
  { yes, json }: RegisterOptions,
  progress: Progress,
): Promise<void> {
  if (yes || json || !isInteractive()) return;
  progress.clear();
  progress.say(`${serial} is ${explanation}. It cannot be changed later without deregistering.`);
  if (await askYes(`Register this host as ${serial}?`)) return;
  throw new Failure({
    kind: "interrupted",
    message: `the serial ${serial} was not accepted`,
    nextStep: "Give another: --serial NAME",
  });
}
