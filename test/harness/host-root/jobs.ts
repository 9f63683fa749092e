/** What `systemctl` changes: jobs such as start and reload, and the unit files' state, each with systemd's words. */
import type { JobResult, Unit } from "./unit.ts";
import type { UnitFiles } from "./unit-files.ts";

export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Systemd {
  files: UnitFiles;
  find(unit: string): Unit | undefined;
  /** Properties of a unit that a test has set. */
  overrides(unit: string): ReadonlyMap<string, string>;
  /** Called for each unit of each call. @returns an answer that a test has planted, in place of the real one */
  before(verb: string, unit: string): Answer | undefined;
}

export const JOBS = ["start", "stop", "restart", "try-restart", "reload", "reload-or-restart"] as const;
export const FILE_VERBS = ["enable", "disable", "mask", "unmask"] as const;

type Job = (typeof JOBS)[number];
type FileVerb = (typeof FILE_VERBS)[number];

export const said = (stdout: string, code = 0): Answer => ({ code, stdout, stderr: "" });
export const failed = (stderr: string, code = 1): Answer => ({ code, stdout: "", stderr: `${stderr}\n` });

export async function runJob(systemd: Systemd, verb: Job, name: string): Promise<Answer> {
  const unit = systemd.find(name);
  const isMasked = systemd.files.isMasked(name);
  if (unit === undefined || (!unit.isInstalled() && !isMasked)) {
    const what = verb === "stop" ? "loaded" : "found";
    return failed(`Failed to ${verb} ${name}: Unit ${name} not ${what}.`, 5);
  }
  if (isMasked && verb !== "stop") return failed(`Failed to ${verb} ${name}: Unit ${name} is masked.`);
  const result = await jobResult(systemd, verb, unit);
  return result === null ? said("") : failed(result);
}

async function jobResult(systemd: Systemd, verb: Job, unit: Unit): Promise<JobResult> {
  const isActive = unit.activeState === "active";
  switch (verb) {
    case "start": {
      for (const wanted of unit.wants) await systemd.find(wanted)?.start();
      return unit.start();
    }
    case "stop":
      await unit.stop();
      return null;
    case "try-restart":
      return isActive ? jobResult(systemd, "restart", unit) : null;
    case "restart":
      await unit.stop();
      return jobResult(systemd, "start", unit);
    case "reload":
      if (!isActive) return `${unit.name} is not active, cannot reload.`;
      return unit.execReload() === null
        ? `Failed to reload ${unit.name}: Job type reload is not applicable for unit ${unit.name}.`
        : unit.reload();
    case "reload-or-restart":
      return jobResult(systemd, isActive && unit.execReload() !== null ? "reload" : "restart", unit);
  }
}

export async function changeFiles(
  systemd: Systemd,
  verb: FileVerb,
  name: string,
  isNow: boolean,
): Promise<Answer> {
  const unit = systemd.find(name);
  const { files } = systemd;
  if (!unit?.isInstalled()) {
    if (verb === "enable" || verb === "disable") {
      return failed(`Failed to ${verb} unit: Unit file ${name} does not exist.`);
    }
  } else if (verb === "enable" && files.isMasked(name)) {
    return failed(`Failed to enable unit: Unit file /etc/systemd/system/${name} is masked.`);
  }
  const stderr = files[verb](name);
  const job = !isNow || verb === "unmask" ? null : verb === "enable" ? "start" : "stop";
  if (job === null) return { code: 0, stdout: "", stderr };
  const answer = await runJob(systemd, job, name);
  return { ...answer, stderr: stderr + answer.stderr };
}
