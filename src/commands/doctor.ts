/**
 * `idc-helper doctor`: every check of a healthy host, and for each what was seen and what mends it. It changes nothing:
 * not on the host, not in AWS.
 */
import { CONFIG_FILE } from "../config/paths.ts";
import { runChecks } from "../doctor/check.ts";
import { Examination } from "../doctor/examination.ts";
import { CHECK_GROUPS } from "../doctor/groups.ts";
import { describeResults, verdictOf } from "../doctor/report.ts";
import { timeFactor } from "../host/service-environment.ts";
import { standardOutput } from "../report/progress.ts";
import { VERDICTS } from "../report/status-text.ts";
import { type Answering, type ConfigOption, print, printJson } from "./options.ts";

export interface DoctorOptions extends ConfigOption, Answering {
  profile?: string;
  deep?: boolean;
}

export async function doctor({ config, json, profile, deep }: DoctorOptions): Promise<number> {
  const examination = new Examination({
    configPath: config ?? CONFIG_FILE,
    profile: profile ?? null,
    deep: deep === true,
    env: process.env,
    factor: timeFactor(),
  });
  const results = await runChecks(CHECK_GROUPS, examination);
  const reading = await examination.host.configReading();
  const verdict = verdictOf(results, "loaded" in reading ? reading.loaded.config.serial : "this host");
  if (json) {
    const checks = results.map(({ counts: _, ...result }) => result);
    printJson({ verdict: VERDICTS[verdict.level], summary: verdict.summary, checks }, { isLong: true });
  } else {
    const rerun = examination.isRoot ? null : examination.own("doctor");
    const options = { rerun, prefix: examination.isRoot ? "" : "sudo " };
    print(describeResults(results, verdict, standardOutput(), options));
  }
  return verdict.level;
}
