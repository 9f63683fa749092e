/**
 * Walks through the steps of `register`, `adopt` and `deregister`. Each step finds out for itself what is left to do,
 * so that a command that was cut short at any point is simply run again.
 */
import { Failure, type FailureReport } from "../failure.ts";
import type { Lock } from "../host/lock.ts";
import type { Progress, StepOutcome, StepReport } from "../report/progress.ts";
import { lockHost } from "./host-lock.ts";

export interface Step {
  /** Stable, for programs. */
  id: string;
  title: string;
  /** The first of these waits for nobody: one command at a time changes a host. */
  changesHost?: boolean;
  run(): Promise<StepOutcome>;
}

export interface Journey {
  reports: StepReport[];
  /** Titles of the steps that were not come to. */
  left: string[];
  failure: FailureReport | null;
  /** What the step that failed had done by then; null for nothing. */
  begun?: string | null;
}

/** A step that fails when a part of its work is done, which stays. */
export class PartlyDone extends Failure {
  readonly done: string;

  constructor(cause: Failure, done: string) {
    super(cause.report(), { cause });
    this.done = done;
  }
}

/** A bug is not caught: it is `main`'s to report. */
export async function walk(steps: readonly Step[], progress: Progress): Promise<Journey> {
  const reports: StepReport[] = [];
  let lock: Lock | null = null;
  const interruption = interruptible();
  try {
    for (const [index, { id, title, changesHost = false, run }] of steps.entries()) {
      progress.begin(title);
      const startedMs = performance.now();
      const report = (outcome: Pick<StepReport, "state" | "detail" | "notes">): StepReport => {
        return { step: id, title, ...outcome, tookMs: Math.round(performance.now() - startedMs) };
      };
      try {
        if (changesHost) lock ??= lockHost();
        const { state, detail, notes = [] } = await Promise.race([run(), interruption.signalled]);
        reports.push(report({ state, detail, notes }));
        progress.end(reports[index] as StepReport);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        const notes = error.nextStep === "" ? [] : [error.nextStep];
        reports.push(report({ state: "FAIL", detail: error.message, notes }));
        progress.end(reports[index] as StepReport);
        const left = steps.slice(index + 1).map((step) => step.title);
        const begun = error instanceof PartlyDone ? error.done : null;
        return { reports, left, failure: error.report(), begun };
      }
    }
    return { reports, left: [], failure: null };
  } finally {
    lock?.release();
    interruption.end();
  }
}

/** Ctrl-C ends the command between two effects, and says what was done; a second one ends it at once. */
function interruptible(): { signalled: Promise<never>; end(): void } {
  let stop: () => void = () => undefined;
  const signalled = new Promise<never>((_, reject) => {
    stop = () =>
      reject(
        new Failure({
          kind: "interrupted",
          message: "interrupted",
          nextStep: "",
        }),
      );
  });
  signalled.catch(() => undefined);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.once(signal, stop);
  return {
    signalled,
    end: () => {
      for (const signal of signals) process.removeListener(signal, stop);
    },
  };
}

/** What a person wants to know after a failure in the middle. */
export function describeFailure({ reports, left, begun = null }: Journey, command: string): string {
  const finished = reports.filter(({ state }) => state === "done").map(({ title }) => title.toLowerCase());
  const changed = begun === null ? finished : [...finished, begun];
  // What an earlier run has done counts too: the host is in the middle of it.
  const isBegun = changed.length > 0 || reports.some(({ state }) => state === "done" || state === "kept");
  const lines = [
    changed.length === 0 ? "Nothing was changed." : `Done and kept: ${changed.join("; ")}.`,
    ...(left.length === 0 || !isBegun
      ? []
      : [`Not done: ${left.map((title) => title.toLowerCase()).join("; ")}.`]),
    `It is safe to run ${command} again: it goes on where it stopped.`,
  ];
  return lines.join("\n");
}
