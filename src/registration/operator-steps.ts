/**
 * The operator's part of `register`: who that is, and what AWS is told and asked with the operator's rights. It is left
 * out where AWS is told elsewhere.
 */
import type { Tag } from "../aws/codedeploy.ts";
import type { StepOutcome } from "../report/progress.ts";
import { addTags, findName, registerInstance, type Wanted } from "./aws-steps.ts";
import type { World } from "./identities.ts";
import { type OperatorAccess, openOperator } from "./operator-access.ts";
import { readBack } from "./read-back.ts";

export interface OperatorStepsOptions {
  world: World;
  wanted: Wanted;
  tags: readonly Tag[];
  /** `--profile` */
  profile: string | undefined;
  /** False in a dry run. */
  changes: boolean;
}

export class OperatorSteps {
  readonly #options: OperatorStepsOptions;
  /** Found by the first step; the others rely on their order. */
  #access!: OperatorAccess;

  constructor(options: OperatorStepsOptions) {
    this.#options = options;
  }

  get access(): OperatorAccess {
    return this.#access;
  }

  async identify(): Promise<StepOutcome> {
    this.#access = await openOperator(this.#options.world, this.#options.profile);
    const { caller, operator } = this.#access;
    return { state: "ok", detail: `${caller.arn} (${operator.source}); not kept on this host` };
  }

  seeName(): Promise<StepOutcome> {
    const { wanted, tags } = this.#options;
    return findName(this.#access.codedeploy, { ...wanted, tags });
  }

  register(): Promise<StepOutcome> {
    const { wanted, changes } = this.#options;
    return registerInstance(this.#access.codedeploy, wanted, changes);
  }

  tag(): Promise<StepOutcome> {
    const { wanted, tags, changes } = this.#options;
    return addTags(this.#access.codedeploy, wanted.serial, tags, changes);
  }

  /** @throws Failure `bad_answer` */
  readBack(): Promise<void> {
    const { wanted, tags } = this.#options;
    return readBack(this.#access.codedeploy, wanted, tags);
  }
}
