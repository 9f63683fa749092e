/** The steps of `register`, in their order. Each looks first, and in a dry run only says what it would do. */
import { inspectService } from "../agent/service.ts";
import { type AgentSettings, readAgentSettings } from "../agent/settings.ts";
import { CodeDeploy } from "../aws/codedeploy.ts";
import { openNetwork } from "../aws/network.ts";
import { loadOperatorCredentials, type OperatorCredentials } from "../aws/operator.ts";
import type { CallerIdentity } from "../aws/sts.ts";
import type { Config } from "../config/config.ts";
import { Failure } from "../failure.ts";
import { timeFactor } from "../host/service-environment.ts";
import { changeUnits } from "../host/systemd.ts";
import { askYes, isInteractive } from "../host/terminal.ts";
import type { Progress, StepOutcome } from "../report/progress.ts";
import { planAgentConfig, setAgentConfig, startAgent } from "./agent-steps.ts";
import { addTags, describeTags, findName, registerInstance, type Wanted } from "./aws-steps.ts";
import { type BaseMaterial, gatherBaseMaterial } from "./base-material.ts";
import { planFiles, showFiles, type WrittenFiles, writeFiles } from "./host-files.ts";
import { checkHost } from "./host-step.ts";
import { checkAssumeRole, operatorConnection, type World, whoAmI } from "./identities.ts";
import { installAgentStep } from "./install-step.ts";
import type { Step } from "./journey.ts";
import { completeRecord, readBack } from "./read-back.ts";
import { seeAgentPoll } from "./see-agent-poll.ts";
import { isServiceOff } from "./service-off.ts";
import { isServiceInOrder, SERVICE, startService } from "./service-step.ts";
import type { Situation, SituationFlags } from "./situation.ts";

const STOP_LIMIT_MS = 100_000;

export interface RegisterFlags extends SituationFlags {
  baseCredentials?: string;
  profile?: string;
  /** AWS is told elsewhere (a control node, with an identity that never comes here): the host's part alone. */
  registered?: boolean;
  installAgent?: boolean;
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

export class RegisterSteps {
  readonly #flags: RegisterFlags;
  readonly #situation: Situation;
  readonly #progress: Progress;
  readonly #world: World;
  readonly #wanted: Wanted;
  // Each is found by the step that first needs it, and later ones rely on their order.
  #settings!: AgentSettings;
  #operator: OperatorCredentials | null = null;
  #caller: CallerIdentity | null = null;
  #codedeploy!: CodeDeploy;
  #material!: BaseMaterial;
  #written: Omit<WrittenFiles, "outcome"> = {
    isConfigChanged: false,
    isBaseChanged: false,
    isUnitChanged: false,
  };
  /** Whether the agent's poll was seen; null before the last step. */
  isPolling: boolean | null = null;

  private constructor(flags: RegisterFlags, situation: Situation, world: World, progress: Progress) {
    this.#flags = flags;
    this.#situation = situation;
    this.#world = world;
    this.#progress = progress;
    const { serial, region } = situation.composed.config;
    this.#wanted = { serial, region, sessionArn: situation.sessionArn };
  }

  static async create(
    flags: RegisterFlags,
    situation: Situation,
    progress: Progress,
  ): Promise<RegisterSteps> {
    const { config } = situation.composed;
    const network = await openNetwork(config, timeFactor(), process.env);
    return new RegisterSteps(flags, situation, { config, network, env: process.env }, progress);
  }

  all(): Step[] {
    type Run = () => Promise<StepOutcome>;
    const step = (id: string, title: string, run: Run): Step => ({ id, title, run });
    const change = (id: string, title: string, run: Run): Step => {
      return { id, title, run, changesHost: this.#changes };
    };
    const isTold = this.#flags.registered === true;
    return [
      step("arguments", "Check the arguments", () => this.#checkArguments()),
      step("host", "Check the host", () => this.#checkHost()),
      ...(isTold
        ? []
        : [
            step("operator", "Identify the operator", () => this.#identifyOperator()),
            step("name", "See that the name is free", () => this.#seeName()),
          ]),
      step("assume-role", "Assume the host's role", () => this.#assumeRole()),
      ...(this.#flags.installAgent
        ? [change("install-agent", "Install the CodeDeploy agent", () => this.#installAgent())]
        : []),
      change("files", "Write config and base credentials", () => this.#writeFiles()),
      change("service", "Start the service, get credentials", () => this.#startService()),
      ...(isTold
        ? []
        : [
            change("registration", "Register with CodeDeploy", () =>
              registerInstance(this.#codedeploy, this.#wanted, this.#changes),
            ),
            change("tags", "Tag the instance", () =>
              addTags(this.#codedeploy, this.#wanted.serial, this.#situation.request.tags, this.#changes),
            ),
          ]),
      change("agent-config", "Set the agent's config", () => this.#setAgentConfig()),
      change("agent-start", "Have the agent run", () => this.#startAgent()),
      step("verify", isTold ? "See the agent poll" : "Read back, and see the agent poll", () =>
        this.#verify(),
      ),
    ];
  }

  get #config(): Config {
    return this.#world.config;
  }

  get #changes(): boolean {
    return this.#flags.dryRun !== true;
  }

  async #checkArguments(): Promise<StepOutcome> {
    const { request, previous, sessionArn } = this.#situation;
    const { serialExplanation, tags } = request;
    const parts = [
      sessionArn,
      tags.length === 0 ? "" : `tags ${describeTags(tags)}`,
      serialExplanation === null ? "" : `the serial is ${serialExplanation}`,
    ];
    if (serialExplanation !== null && previous === null && this.#changes)
      await this.#confirmSerial(serialExplanation);
    return { state: "ok", detail: parts.filter(Boolean).join("; ") };
  }

  /** What is derived cannot be changed later without deregistering: somebody should have seen it. */
  async #confirmSerial(explanation: string): Promise<void> {
    const { serial } = this.#wanted;
    if (this.#flags.yes || this.#flags.json || !isInteractive()) return;
    this.#progress.clear();
    this.#progress.say(`${serial} is ${explanation}. It cannot be changed later without deregistering.`);
    if (await askYes(`Register this host as ${serial}?`)) return;
    throw new Failure({
      kind: "interrupted",
      message: `the serial ${serial} was not accepted`,
      nextStep: "Give another: --serial NAME",
    });
  }

  async #checkHost(): Promise<StepOutcome> {
    const willInstallAgent = this.#flags.installAgent === true;
    const { network, env } = this.#world;
    const check = await checkHost(this.#config, network, env, { willInstallAgent });
    this.#settings = check.facts.settings;
    return check.outcome;
  }

  async #identifyOperator(): Promise<StepOutcome> {
    const { requestHandler } = this.#world.network;
    const { region } = this.#config;
    const profile = this.#flags.profile ?? null;
    const operator = await loadOperatorCredentials({ profile, region, requestHandler });
    const caller = await whoAmI(this.#world, operator);
    this.#operator = operator;
    this.#caller = caller;
    this.#codedeploy = new CodeDeploy(operatorConnection("codedeploy", this.#world, operator));
    return { state: "ok", detail: `${caller.arn} (${operator.source}); not kept on this host` };
  }

  #seeName(): Promise<StepOutcome> {
    return findName(this.#codedeploy, { ...this.#wanted, tags: this.#situation.request.tags });
  }

  async #assumeRole(): Promise<StepOutcome> {
    const mayAsk = !this.#flags.json && this.#changes;
    if (mayAsk) this.#progress.clear();
    this.#material = await gatherBaseMaterial({
      given: this.#flags.baseCredentials,
      config: this.#config,
      operator: this.#operator,
      mayAsk,
    });
    return checkAssumeRole(this.#world, this.#material, this.#caller);
  }

  async #installAgent(): Promise<StepOutcome> {
    const outcome = await installAgentStep(this.#flags.agentSource, this.#world, this.#changes);
    const reading = await readAgentSettings(this.#config.agent.settingsFile);
    if ("settings" in reading) this.#settings = reading.settings;
    return outcome;
  }

  async #writeFiles(): Promise<StepOutcome> {
    const { composed, sessionArn, previous, request } = this.#situation;
    const { tags } = request;
    const files = planFiles({
      composed,
      base: this.#material,
      sessionArn,
      tags,
      previous,
      settings: this.#settings,
    });
    if (!this.#changes) {
      const outcome = await showFiles(files);
      this.#written = { ...this.#written, isConfigChanged: outcome.state === "plan" };
      return outcome;
    }
    // Else it would go on refreshing under its twin's name, as soon as the record says that this is the machine.
    if (this.#flags.replace && !(await isServiceOff())) await changeUnits(STOP_LIMIT_MS, ["stop"], [SERVICE]);
    const { outcome, ...written } = await writeFiles(files);
    this.#written = written;
    return outcome;
  }

  async #startService(): Promise<StepOutcome> {
    const config = this.#config;
    const { sessionArn } = this.#wanted;
    if (this.#changes) return startService({ config, sessionArn, ...this.#written });
    if (!this.#written.isConfigChanged && (await isServiceInOrder(config, sessionArn)))
      return { state: "kept", detail: `${SERVICE} runs, with credentials` };
    return { state: "plan", detail: `enable and start ${SERVICE}, wait for its first credentials` };
  }

  #setAgentConfig(): Promise<StepOutcome> {
    return this.#changes
      ? setAgentConfig(this.#config, timeFactor())
      : planAgentConfig(this.#config, this.#settings);
  }

  async #startAgent(): Promise<StepOutcome> {
    const unit = this.#config.agent.service;
    if (this.#changes) return startAgent(this.#config, this.#settings, timeFactor());
    const { state } = await inspectService(unit, this.#settings);
    if (state === "running") return { state: "kept", detail: `${unit} runs` };
    const when = state === "absent" ? "once it is installed" : `which is ${state}`;
    return { state: "plan", detail: `start ${unit}, ${when}` };
  }

  async #verify(): Promise<StepOutcome> {
    const { request, sessionArn } = this.#situation;
    if (!this.#changes)
      return {
        state: "kept",
        detail: this.#flags.registered
          ? "the agent's next poll would be waited for"
          : "the registration would be read back, and the agent's next poll waited for",
      };
    // Without an operator nobody here may ask AWS: the poll, which it answers to registered instances only, is the proof.
    if (!this.#flags.registered) await readBack(this.#codedeploy, request, sessionArn);
    // Before the wait, which somebody may cut short: nothing is left to do by then.
    await completeRecord(this.#config);
    const outcome = await seeAgentPoll(this.#config, this.#settings, sessionArn);
    this.isPolling = outcome.state === "ok";
    return outcome;
  }
}
