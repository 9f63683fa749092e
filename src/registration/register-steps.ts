/** The steps of `register`, in their order. Each looks first, and in a dry run only says what it would do. */
import { type AgentSettings, readAgentSettings } from "../agent/settings.ts";
import { openNetwork } from "../aws/network.ts";
import type { Config } from "../config/config.ts";
import { timeFactor } from "../host/service-environment.ts";
import { changeUnits } from "../host/systemd.ts";
import { isInteractive } from "../host/terminal.ts";
import type { Progress, StepOutcome } from "../report/progress.ts";
import { planAgentConfig, planAgentStart, setAgentConfig, startAgent } from "./agent-steps.ts";
import { checkArguments } from "./arguments-step.ts";
import { type BaseMaterial, gatherBaseMaterial } from "./base-material.ts";
import { planFiles, showFiles, type WrittenFiles, writeFiles } from "./host-files.ts";
import { checkHost } from "./host-step.ts";
import { checkAssumeRole, type World } from "./identities.ts";
import { installAgentStep } from "./install-step.ts";
import type { Step } from "./journey.ts";
import { OperatorSteps } from "./operator-steps.ts";
import { completeRecord } from "./read-back.ts";
import { seeAgentPoll } from "./see-agent-poll.ts";
import { isServiceOff } from "./service-off.ts";
import { isServiceInOrder, SERVICE, startService } from "./service-step.ts";
import type { Situation, SituationFlags } from "./situation.ts";

const STOP_LIMIT_MS = 100_000;

export interface RegisterFlags extends SituationFlags {
  baseCredentials?: string;
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
  /** Null where AWS is told elsewhere. */
  readonly #operator: OperatorSteps | null;
  // Each is found by the step that first needs it, and later ones rely on their order.
  #settings!: AgentSettings;
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
    const { serial, region } = world.config;
    const wanted = { serial, region, sessionArn: situation.sessionArn };
    const { tags } = situation.request;
    const { profile } = flags;
    this.#operator = flags.registered
      ? null
      : new OperatorSteps({ world, wanted, tags, profile, changes: this.#changes });
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
    const operator = this.#operator;
    const steps = [
      step("arguments", "Check the arguments", () => checkArguments(this.#situation, this.#asksOn)),
      step("host", "Check the host", () => this.#checkHost()),
      operator && step("operator", "Identify the operator", () => operator.identify()),
      operator && step("name", "See that the name is free", () => operator.seeName()),
      step("assume-role", "Assume the host's role", () => this.#assumeRole()),
      this.#flags.installAgent &&
        change("install-agent", "Install the CodeDeploy agent", () => this.#installAgent()),
      change("files", "Write config and base credentials", () => this.#writeFiles()),
      change("service", "Start the service, get credentials", () => this.#startService()),
      operator && change("registration", "Register with CodeDeploy", () => operator.register()),
      operator && change("tags", "Tag the instance", () => operator.tag()),
      change("agent-config", "Set the agent's config", () => this.#setAgentConfig()),
      change("agent-start", "Have the agent run", () => this.#startAgent()),
      step("verify", operator ? "Read back, and see the agent poll" : "See the agent poll", () =>
        this.#verify(),
      ),
    ];
    return steps.filter((each) => !!each);
  }

  get #config(): Config {
    return this.#world.config;
  }

  get #changes(): boolean {
    return this.#flags.dryRun !== true;
  }

  get #asksOn(): Progress | null {
    const { yes, json } = this.#flags;
    return yes || json || !this.#changes || !isInteractive() ? null : this.#progress;
  }

  async #checkHost(): Promise<StepOutcome> {
    const willInstallAgent = this.#flags.installAgent === true;
    const { network, env } = this.#world;
    const check = await checkHost(this.#config, network, env, { willInstallAgent });
    this.#settings = check.facts.settings;
    return check.outcome;
  }

  async #assumeRole(): Promise<StepOutcome> {
    const mayAsk = !this.#flags.json && this.#changes;
    if (mayAsk) this.#progress.clear();
    this.#material = await gatherBaseMaterial({
      given: this.#flags.baseCredentials,
      config: this.#config,
      operator: this.#operator?.access.operator ?? null,
      mayAsk,
    });
    return checkAssumeRole(this.#world, this.#material, this.#operator?.access.caller ?? null);
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
    const { sessionArn } = this.#situation;
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

  #startAgent(): Promise<StepOutcome> {
    return this.#changes
      ? startAgent(this.#config, this.#settings, timeFactor())
      : planAgentStart(this.#config.agent.service, this.#settings);
  }

  async #verify(): Promise<StepOutcome> {
    if (!this.#changes)
      return {
        state: "kept",
        detail: this.#operator
          ? "the registration would be read back, and the agent's next poll waited for"
          : "the agent's next poll would be waited for",
      };
    // Without an operator nobody here may ask AWS: the poll, which it answers to registered instances only, is the proof.
    await this.#operator?.readBack();
    // Before the wait, which somebody may cut short: nothing is left to do by then.
    await completeRecord(this.#config);
    const outcome = await seeAgentPoll(this.#config, this.#settings, this.#situation.sessionArn);
    this.isPolling = outcome.state === "ok";
    return outcome;
  }
}
