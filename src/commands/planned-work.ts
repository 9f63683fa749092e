/** Work that is looked into, shown as a plan and agreed to before its first change; answered to a person or as JSON. */
import { type ChangeStep, planSteps } from "../adoption/change-step.ts";
import { EXIT, exitCodeOf } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { askYes, isInteractive } from "../host/terminal.ts";
import { describeFailure, type Journey, type Step, walk } from "../registration/journey.ts";
import type { Progress, StepReport } from "../report/progress.ts";
import { print, printJson } from "./options.ts";

export interface PlannedWork {
  /** The subcommand, for messages. */
  command: string;
  question: string;
  /** Said before looking, planning and doing. */
  titles: [look: string, plan: string, work: string];
  /** Changes nothing. */
  look: readonly Step[];
  /** What follows from what was seen. */
  steps(): ChangeStep[];
  success(): { changed: string; kept: string; extra: object };
}

export interface WorkFlags {
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** @returns the exit status */
export async function walkPlan(work: PlannedWork, flags: WorkFlags, progress: Progress): Promise<number> {
  const { titles } = work;
  let found: StepReport[] = [];
  if (work.look.length > 0) {
    progress.say(`${titles[0]}\n`);
    const looked = await walk(work.look, progress);
    if (looked.failure !== null) return answerFailure(work, flags, looked, found);
    found = looked.reports;
    progress.say("");
  }
  progress.say(`${titles[1]}\n`);
  const steps = work.steps();
  const plan = await walk(planSteps(steps), progress);
  if (plan.failure !== null) return answerFailure(work, flags, plan, found);
  if (!plan.reports.some(({ state }) => state === "plan"))
    return answer(work, flags, "kept", { found, steps: plan.reports });
  if (flags.dryRun) return answer(work, flags, "planned", { found, steps: plan.reports });
  await agree(work, flags);
  progress.say(`\n${titles[2]}\n`);
  const changing = steps.map((step): Step => ({ ...step, changesHost: true, run: () => step.run() }));
  const done = await walk(changing, progress);
  if (done.failure !== null) return answerFailure(work, flags, done, found);
  return answer(work, flags, "changed", { found, steps: done.reports });
}

async function agree({ command, question }: PlannedWork, { yes, json }: WorkFlags): Promise<void> {
  if (yes) return;
  if (json || !isInteractive()) {
    throw new Failure({
      kind: "usage",
      message: `${command} asks before it changes anything, and there is no terminal to ask on. Nothing was changed`,
      nextStep: `Look at the plan (--dry-run shows it alone), then: idc-helper ${command} --yes`,
    });
  }
  print("");
  if (await askYes(question)) return;
  throw new Failure({ kind: "interrupted", message: "not agreed to", nextStep: "Nothing was changed." });
}

interface Told {
  found: StepReport[];
  steps: StepReport[];
}

function answer(
  work: PlannedWork,
  { json }: WorkFlags,
  result: "changed" | "kept" | "planned",
  { found, steps }: Told,
): number {
  const { changed, kept, extra } = work.success();
  if (json) printJson({ result, ...extra, found, steps }, { isLong: true });
  else if (result === "planned")
    print("\nNothing was changed. Without --dry-run, the planned steps are taken.");
  else print(`\n${result === "changed" ? changed : kept}`);
  return EXIT.done;
}

function answerFailure(
  { command }: PlannedWork,
  { json }: WorkFlags,
  journey: Journey,
  found: StepReport[],
): number {
  const { failure, reports, left } = journey;
  if (json) printJson({ result: "failed", ...failure, found, steps: reports, left }, { isLong: true });
  else process.stderr.write(`\n${describeFailure(journey, `idc-helper ${command}`)}\n`);
  return failure === null ? EXIT.failed : exitCodeOf(failure.kind);
}
