/** A step that changes something: it can say beforehand what it would do, and does only what is left to do. */
import type { Step } from "../registration/journey.ts";
import type { StepOutcome } from "../report/progress.ts";

export interface ChangeStep {
  id: string;
  title: string;
  /** Looks, and changes nothing: `plan`, or `kept` where nothing is left to do. */
  plan(): Promise<StepOutcome>;
  run(): Promise<StepOutcome>;
}

export const planned = (detail: string, notes: readonly string[] = []): StepOutcome => ({
  state: "plan",
  detail,
  notes,
});

export const kept = (detail: string): StepOutcome => ({ state: "kept", detail });

/** What follows from a change is needed only where there is one. */
export function planSteps(steps: readonly ChangeStep[]): Step[] {
  let isAnyPlanned = false;
  return steps.map(({ id, title, plan }) => ({
    id,
    title,
    run: async () => {
      const outcome = await plan();
      const isIdle = outcome.state === "plan" && FOLLOWS.has(id) && !isAnyPlanned;
      if (outcome.state === "plan" && !isIdle) isAnyPlanned = true;
      return isIdle ? kept("nothing has changed") : outcome;
    },
  }));
}

/** Steps that only wait for, or confirm, what others have changed. */
const FOLLOWS: ReadonlySet<string> = new Set(["poll"]);
