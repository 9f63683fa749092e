/**
 * Finds out all that `adopt` must know, step by step and before anything is changed: how the host gets its credentials
 * today, who refreshes them, and that we can become the same identity.
 */
import type { AgentService } from "../agent/service.ts";
import type { Instance } from "../aws/codedeploy.ts";
import { type Network, openNetwork } from "../aws/network.ts";
import type { Config } from "../config/config.ts";
import { Failure } from "../failure.ts";
import { askText, isInteractive } from "../host/terminal.ts";
import type { BaseMaterial } from "../registration/base-material.ts";
import type { ComposedConfig, ConfigValues } from "../registration/config-text.ts";
import { checkHost } from "../registration/host-step.ts";
import { expectedSessionArn, type World } from "../registration/identities.ts";
import type { Step } from "../registration/journey.ts";
import { isAboutOperator, type OperatorAccess, openOperator } from "../registration/operator-access.ts";
import type { Registration } from "../registration/record.ts";
import type { Progress, StepOutcome } from "../report/progress.ts";
import { checkAgentMayRead } from "./agent-user.ts";
import { type CronSearch, findCronJobs } from "./cron-search.ts";
import { describeCron, describeSetup } from "./describe.ts";
import { proveBase } from "./host-base.ts";
import { type Names, namesOfSession, namesOfUser } from "./names.ts";
import type { OldHost } from "./old-host.ts";
import { type FoundInstance, findOldInstance, findSameInstance } from "./old-instance.ts";
import type { SessionSetup, UserSetup } from "./old-setup.ts";
import { type AdoptFlags, type Findings, savedJob } from "./request.ts";
import { checkRoleArn, deniedWithoutPath } from "./role.ts";

export interface InvestigationOptions {
  flags: AdoptFlags;
  old: OldHost;
  /** The config that is there already, if any. */
  present: Config | null;
  previous: Registration | null;
  compose: (values: Omit<ConfigValues, "readerGroup">) => ComposedConfig;
  progress: Progress;
  factor: number;
  env: NodeJS.ProcessEnv;
}

export class Investigation {
  readonly #options: InvestigationOptions;
  #search: CronSearch = { jobs: [], related: [], unread: [], elsewhere: [] };
  #names: Names | null = null;
  #network: Network | null = null;
  #service: AgentService | null = null;
  #access: OperatorAccess | null = null;
  #instance: Instance | null = null;
  #material: BaseMaterial | null = null;

  constructor(options: InvestigationOptions) {
    this.#options = options;
  }

  steps(): Step[] {
    const { setup, settings, manifest } = this.#options.old;
    const step = (id: string, title: string, run: Step["run"]): Step => ({ id, title, run });
    const first = step("old-setup", "How the agent gets its credentials", async () =>
      describeSetup(setup, settings.onPremisesConfigFile, manifest),
    );
    if (setup.kind === "session") {
      return [
        first,
        step("old-cron", "Who refreshes them", () => this.#findCron(setup)),
        step("host", "Check the host", () => this.#checkHost()),
        step("assume-role", "Become the same identity", () => this.#becomeSame(setup)),
        step("registration", "Look at its registration", () => this.#lookAtRegistration(setup)),
      ];
    }
    return [
      first,
      step("host", "Check the host", () => this.#checkHost()),
      step("operator", "Who is the operator?", () => this.#identifyOperator()),
      step("old-registration", "Find the old registration", () => this.#findOld(setup)),
      step("assume-role", "Assume the host's role", () => this.#assumeRole()),
    ];
  }

  /** Once the steps are through. */
  findings(): Findings {
    const { setup, settings, manifest } = this.#options.old;
    const composed = this.#composed();
    const world: World = { config: composed.config, network: known(this.#network), env: this.#options.env };
    return {
      settings,
      service: known(this.#service),
      setup,
      manifest,
      search: this.#search,
      jobs: manifest?.jobs ?? this.#search.jobs.map(savedJob),
      composed,
      world,
      sessionArn: expectedSessionArn(composed.config),
      material: known(this.#material),
      previous: this.#options.previous,
      codedeploy: this.#access?.codedeploy ?? null,
      instance: this.#instance,
    };
  }

  get #mayAsk(): boolean {
    const { json, dryRun } = this.#options.flags;
    return !json && !dryRun;
  }

  #composed(): ComposedConfig {
    const { serial, roleArn, proxy } = known(this.#names);
    return this.#options.compose({ serial, roleArn, proxy, region: this.#options.old.setup.region });
  }

  async #world(): Promise<World> {
    const { factor, env } = this.#options;
    const { config } = this.#composed();
    this.#network ??= await openNetwork(config, factor, env);
    return { config, network: this.#network, env };
  }

  async #findCron({ credentialsFile, roleName, serial }: SessionSetup): Promise<StepOutcome> {
    this.#search = await findCronJobs({ credentialsFile, roleName, serial });
    return describeCron(this.#search, this.#options.old.manifest);
  }

  async #chooseNames(): Promise<Names> {
    const { flags, present, old, progress } = this.#options;
    const sources = { flags, present, manifest: old.manifest, mayAsk: this.#mayAsk };
    if (old.setup.kind === "session") {
      const texts = this.#search.jobs.flatMap((job) => job.texts);
      return namesOfSession(old.setup, sources, texts);
    }
    progress.clear();
    return namesOfUser(old.setup, sources);
  }

  async #checkHost(): Promise<StepOutcome> {
    this.#names = await this.#chooseNames();
    const { config, network, env } = await this.#world();
    const { facts, outcome } = await checkHost(config, network, env);
    this.#service = facts.service;
    checkAgentMayRead(facts.service, config);
    const { explanation, notes } = this.#names;
    const detail = explanation === "" ? outcome.detail : `${outcome.detail}; ${explanation}`;
    const state = notes.length === 0 ? outcome.state : "note";
    return { state, detail, notes: [...(outcome.notes ?? []), ...notes] };
  }

  async #identifyOperator(): Promise<StepOutcome> {
    this.#access = await openOperator(await this.#world(), this.#options.flags.profile);
    const { caller, operator } = this.#access;
    return { state: "ok", detail: `${caller.arn} (${operator.source}); not kept on this host` };
  }

  async #assumeRole(): Promise<StepOutcome> {
    const { flags, old, progress } = this.#options;
    if (this.#mayAsk) progress.clear();
    const { material, outcome } = await proveBase({
      given: flags.baseCredentials,
      world: await this.#world(),
      jobs: this.#search.jobs,
      isSession: old.setup.kind === "session",
      operator: this.#access?.operator ?? null,
      caller: this.#access?.caller ?? null,
      mayAsk: this.#mayAsk,
    });
    this.#material = material;
    return outcome;
  }

  /** Denied where the role was only taken to have no path: perhaps it has one, and somebody knows it. */
  async #becomeSame(setup: SessionSetup): Promise<StepOutcome> {
    try {
      return await this.#assumeRole();
    } catch (error) {
      const names = known(this.#names);
      if (!(error instanceof Failure) || error.kind !== "denied" || names.isRoleKnown) throw error;
      if (!this.#mayAsk || !isInteractive()) throw deniedWithoutPath(setup, error);
      this.#options.progress.clear();
      this.#options.progress.say(`AWS denies AssumeRole on ${names.roleArn}. Perhaps the role has a path.`);
      const answer = await askText({
        message: "The role's whole ARN, with its path:",
        validate: (text) => checkRoleArn(text.trim(), setup),
      });
      this.#names = { ...names, roleArn: answer.trim(), isRoleKnown: true };
      return this.#assumeRole();
    }
  }

  async #findOld(setup: UserSetup): Promise<StepOutcome> {
    const { manifest } = this.#options.old;
    const found = await findOldInstance(known(this.#access).codedeploy, setup, manifest);
    this.#instance = found.instance;
    const { serial } = known(this.#names);
    if (found.instance?.name === serial) {
      throw new Failure({
        kind: "conflict",
        message: `${serial} is the name that the IAM user is registered under. The host needs another one: AWS keeps a deregistered name taken for hours`,
        nextStep: "Give it a serial that names its hardware: --serial auto, or --serial NAME",
      });
    }
    return found.outcome;
  }

  /** An operator who may not look is no obstacle: AssumeRole has shown whose session it is. */
  async #lookAtRegistration(setup: SessionSetup): Promise<StepOutcome> {
    let found: FoundInstance;
    try {
      await this.#identifyOperator();
      found = await findSameInstance(known(this.#access).codedeploy, setup);
    } catch (error) {
      if (!(error instanceof Failure) || !isAboutOperator(error)) throw error;
      const detail = "not looked at: it takes an operator's credentials, and is not needed";
      return { state: "ok", detail, notes: this.#options.flags.profile === undefined ? [] : [error.message] };
    }
    this.#instance = found.instance;
    return found.outcome;
  }
}

/** What an earlier step has found out. */
function known<T>(value: T | null): T {
  if (value === null) throw new Error("a step of adopt was left out");
  return value;
}
