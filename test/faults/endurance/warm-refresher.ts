/**
 * `idc-helper refresh --json --resolved-config` without the start of a process: the command's own code, called once for
 * each message. Started by refresh-door.ts, with the environment that the children of `run` have.
 */
import type { Config } from "../../../src/config/config.ts";
import { EXIT, exitCodeOf } from "../../../src/exit-codes.ts";
import { Failure } from "../../../src/failure.ts";
import { timeFactor } from "../../../src/host/service-environment.ts";
import { issueCredentials } from "../../../src/refresher/issue.ts";

export interface Answer {
  code: number;
  /** What the command prints. */
  line: string;
}

process.on("message", async (config: Config) => {
  process.send?.(await refresh(config));
});

async function refresh(config: Config): Promise<Answer> {
  try {
    const issued = await issueCredentials(config, timeFactor(), process.env);
    return { code: EXIT.done, line: JSON.stringify({ result: "issued", ...issued }) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { code: exitCodeOf(error.kind), line: JSON.stringify({ result: "failed", ...error.report() }) };
  }
}
