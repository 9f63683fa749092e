/** How `register`, `adopt` and `deregister` answer at their end: to a person, or as one JSON document. */
import { EXIT, exitCodeOf } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { describeFailure, type Step, walk } from "../registration/journey.ts";
import { fitted, type Progress } from "../report/progress.ts";
import { type Answering, print, printJson } from "./options.ts";

export interface JourneyEnd {
  /** The subcommand, for messages. */
  command: string;
  steps: readonly Step[];
  progress: Progress;
  json: boolean;
  /** Asked for at the end. */
  success: {
    changed: () => string;
    /** Nothing had to be done. */
    kept: () => string;
    /** After a dry run. */
    planned: () => string;
  };
}

/** What fails before the first step is answered in the form that was asked for, too. */
export async function answering({ json }: Answering, run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!json || !(error instanceof Failure)) throw error;
    printJson({ result: "failed", ...error.report(), steps: [], left: [] }, { isLong: true });
    return exitCodeOf(error.kind);
  }
}

/** Walks the steps. @returns the exit status */
export async function concludeJourney(end: JourneyEnd): Promise<number> {
  const { command, steps, progress, json, success } = end;
  const journey = await walk(steps, progress);
  const { reports, failure } = journey;
  const has = (state: string) => reports.some((report) => report.state === state);
  if (failure !== null) {
    if (json)
      printJson({ result: "failed", ...failure, steps: reports, left: journey.left }, { isLong: true });
    else
      process.stderr.write(
        `\n${fitted(describeFailure(journey, `idc-helper ${command}`), process.stderr)}\n`,
      );
    return exitCodeOf(failure.kind);
  }
  const result = has("plan") ? "planned" : has("done") ? "changed" : "kept";
  if (json) printJson({ result, steps: reports }, { isLong: true });
  else print(`\n${fitted(success[result](), process.stdout)}`);
  return EXIT.done;
}
