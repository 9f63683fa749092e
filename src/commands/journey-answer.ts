/** How `register`, `adopt` and `deregister` answer at their end: to a person, or as one JSON document. */
import { EXIT, exitCodeOf } from "../exit-codes.ts";
import { describeFailure, type Step, walk } from "../registration/journey.ts";
import { fitted, type Progress } from "../report/progress.ts";
import { print, printJson } from "./options.ts";

export interface JourneyEnd {
  /** The subcommand, for messages. */
  command: string;
  steps: readonly Step[];
  progress: Progress;
  json?: boolean;
  success: {
    changed: string;
    /** Nothing had to be done. */
    kept: string;
    /** After a dry run. */
    planned: string;
  };
}

/** Walks the steps. @returns the exit status */
export async function concludeJourney({
  command,
  steps,
  progress,
  json,
  success,
}: JourneyEnd): Promise<number> {
  const journey = await walk(steps, progress);
  const { reports, failure } = journey;
  const has = (state: string) => reports.some((report) => report.state === state);
  if (failure !== null) {
    if (json)
      printJson({ result: "failed", ...failure, steps: reports, left: journey.left }, { isLong: true });
    else process.stderr.write(
        `\n${fitted(describeFailure(journey, `idc-helper ${command}`), process.stderr)}\n`,
      );
    return exitCodeOf(failure.kind);
  }
  const result = has("plan") ? "planned" : has("done") ? "changed" : "kept";
  if (json) printJson({ result, steps: reports }, { isLong: true });
  else print(`\n${fitted(success[result], process.stdout)}`);
  return EXIT.done;
}
