/** What `register` was asked for, shown before anything of it becomes permanent. */
import { Failure } from "../failure.ts";
import { askYes } from "../host/terminal.ts";
import type { Progress, StepOutcome } from "../report/progress.ts";
import { describeTags } from "./aws-steps.ts";
import type { Situation } from "./situation.ts";

/** @param asksOn where a person may be asked; null where nobody is there, or nothing is changed */
export async function checkArguments(
  { request, previous, sessionArn }: Situation,
  asksOn: Progress | null,
): Promise<StepOutcome> {
  const { serial, serialExplanation, tags } = request;
  const parts = [
    sessionArn,
    tags.length === 0 ? "" : `tags ${describeTags(tags)}`,
    serialExplanation === null ? "" : `the serial is ${serialExplanation}`,
  ];
  if (serialExplanation !== null && previous === null && asksOn !== null)
    await confirmSerial(serial, serialExplanation, asksOn);
  return { state: "ok", detail: parts.filter(Boolean).join("; ") };
}

/** What is derived cannot be changed later without deregistering: somebody should have seen it. */
async function confirmSerial(serial: string, explanation: string, progress: Progress): Promise<void> {
  progress.clear();
  progress.say(`${serial} is ${explanation}. It cannot be changed later without deregistering.`);
  if (await askYes(`Register this host as ${serial}?`)) return;
  throw new Failure({
    kind: "interrupted",
    message: `the serial ${serial} was not accepted`,
    nextStep: "Give another: --serial NAME",
  });
}
