/** `idc-helper status`: how things stand, for a person, a program or a monitoring system. */

import type { Config } from "../config/config.ts";
import { runtimeFiles } from "../config/paths.ts";
import { errorCode, errorText, Failure } from "../failure.ts";
import { readStatus, type Status } from "../report/status.ts";
import { describeStatus, judge, VERDICTS, type Verdict } from "../report/status-text.ts";
import { type Answering, type ConfigOption, print, printJson, readConfig } from "./options.ts";

export async function status(options: ConfigOption & Answering): Promise<number> {
  const reading = await readWithVerdict(options);
  const { verdict } = reading;
  if (options.json)
    printJson(
      { verdict: VERDICTS[verdict.level], summary: verdict.summary, status: reading.status },
      { isLong: true },
    );
  else if (reading.status === null) print(`${VERDICTS[verdict.level]} - ${verdict.summary}`);
  else
    print(
      describeStatus(reading.status, verdict, {
        nowMs: Date.now(),
        isTerminal: process.stdout.isTTY,
        columns: process.stdout.columns,
      }),
    );
  return verdict.level;
}

async function readWithVerdict(options: ConfigOption): Promise<{ status: Status | null; verdict: Verdict }> {
  let config: Config;
  try {
    ({ config } = await readConfig(options, { unknownKeys: "warn", requireTrusted: false }));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { status: null, verdict: { level: 3, summary: `the configuration is wrong: ${error.message}` } };
  }
  const file = runtimeFiles(config.paths).status;
  try {
    const found = await readStatus(file);
    if (found !== null) return { status: found, verdict: judge(found, isRunning(found), Date.now()) };
    return unknown(
      `there is no ${file}: the service has not run since the boot (systemctl status idc-codedeploy-helper)`,
    );
  } catch (error) {
    return unknown(`${file} cannot be used: ${errorCode(error) ?? errorText(error)}`);
  }
}

function unknown(summary: string): { status: null; verdict: Verdict } {
  return { status: null, verdict: { level: 3, summary } };
}

/** The pid alone could be another process's by now; a stopped service has said so itself. */
function isRunning({ state, pid }: Status): boolean {
  if (state === "stopped") return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's process: there all the same.
    return errorCode(error) === "EPERM";
  }
}
