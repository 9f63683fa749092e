/** The old crontab entries go out of force, once nothing depends on them any more. */
import { errorCode, Failure } from "../failure.ts";
import type { StepOutcome } from "../report/progress.ts";
import { type ChangeStep, kept, planned } from "./change-step.ts";
import { disableLine, hasLine } from "./crontab.ts";
import { changeCrontab, readCrontab } from "./crontab-files.ts";
import { showJob } from "./describe.ts";
import type { SavedJob } from "./manifest.ts";

const WHY =
  "idc-codedeploy-helper refreshes the agent's credentials now; idc-helper adopt --undo puts this line back";

export interface CronOptions {
  jobs: readonly SavedJob[];
  keepCron: boolean;
  /** What is no longer refreshed then. */
  credentialsFile: string;
}

export function cronStep({ jobs, keepCron, credentialsFile }: CronOptions): ChangeStep {
  return {
    id: "cron",
    title: "Take the old crontab entry out of force",
    plan: async () => {
      const active = await inForce(jobs);
      const idle = whyIdle(jobs, active, keepCron);
      if (idle !== null) return idle;
      const note = `${credentialsFile} is then no longer refreshed. If anything else reads it, use --keep-cron.`;
      return planned(`comment out ${places(active)}`, [...active.map(showJob), note]);
    },
    run: async () => {
      const active = await inForce(jobs);
      const idle = whyIdle(jobs, active, keepCron);
      if (idle !== null) return idle;
      for (const { file, content } of active)
        await changeCrontab(file, (text) => disableLine(text, content, WHY, new Date()));
      return { state: "done", detail: `commented out ${places(active)}` };
    },
  };
}

function whyIdle(
  jobs: readonly SavedJob[],
  active: readonly SavedJob[],
  keepCron: boolean,
): StepOutcome | null {
  if (jobs.length === 0) return kept("none was found");
  if (active.length === 0) return kept(`${places(jobs)} is out of force`);
  return keepCron ? kept(`${places(active)} is left in force (--keep-cron)`) : null;
}

export function places(jobs: readonly SavedJob[]): string {
  return jobs.map(({ file, line }) => `${file}:${line}`).join(", ");
}

async function inForce(jobs: readonly SavedJob[]): Promise<SavedJob[]> {
  const active: SavedJob[] = [];
  for (const job of jobs) if (hasLine(await currentText(job.file), job.content)) active.push(job);
  return active;
}

/** A crontab that has gone has nothing in force. */
export async function currentText(file: string): Promise<string> {
  try {
    return await readCrontab(file);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw new Failure({
      kind: "cannot_write",
      message: `the crontab ${file} cannot be read: ${errorCode(error)}`,
      nextStep: `Look at it: ls -l ${file}`,
    });
  }
}
