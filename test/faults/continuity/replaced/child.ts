/** src/refresher/child.ts: the same commands, each as a process of the virtual host. */

import type { Config } from "../../../../src/config/config.ts";
import { ConfigError } from "../../../../src/config/config-error.ts";
import { Failure } from "../../../../src/failure.ts";
import type * as original from "../../../../src/refresher/child.ts";
import { issueCredentials } from "../../../../src/refresher/issue.ts";
import { PLANNED_REFRESHES } from "../../../../src/refresher/plan.ts";
import { nextRefreshes } from "../../../../src/refresher/schedule.ts";
import { host } from "../host.ts";
import { readOurConfig } from "../our-config.ts";
import { ourService } from "../our-service.ts";
import { asRunning, systemCall, VirtualProcess } from "../virtual-process.ts";

type Result = Awaited<original.Child["result"]>;

export const startChild: typeof original.startChild = ({ args, input, limitMs }) => {
  systemCall();
  let settle: (result: Result) => void = () => undefined;
  const result = new Promise<Result>((resolve) => {
    settle = asRunning(resolve);
  });
  const ended = (part: Partial<Result>) =>
    // The parent learns of it through its event loop.
    host.time.after(
      0,
      () => settle({ exitCode: 0, signal: null, output: "", errors: "", wasTooSlow: false, ...part }),
      {
        isAsync: true,
      },
    );
  let wasTooSlow = false;
  const child = new VirtualProcess(args[0] ?? "", () =>
    ended({ exitCode: null, signal: "SIGKILL", wasTooSlow }),
  );
  const limit = host.time.after(limitMs, () => {
    wasTooSlow = true;
    child.kill();
  });
  const body = args[0] === "refresh" ? refresh : plan;
  ourService().adopt(child);
  host.time.after(
    host.random.logBetween(100, 2_000),
    () =>
      child.run(async () => {
        const result = await body(input).then(
          (output) => ({ output }),
          (error: unknown) => {
            if (!(error instanceof ConfigError)) throw error;
            return { exitCode: 78, errors: error.message };
          },
        );
        limit.cancel();
        child.end();
        ended(result);
      }),
    { isAsync: true },
  );
  return { result, kill: () => child.kill() };
};

/** As commands/check-config.ts answers with --plan. */
async function plan(input: string): Promise<string> {
  if (input === "") systemCall();
  const config: Config = input === "" ? readOurConfig(host.disk) : JSON.parse(input);
  const refreshes = nextRefreshes(config, Date.now(), PLANNED_REFRESHES, 1);
  return JSON.stringify({ config, warnings: [], isClone: false, refreshes });
}

/** As commands/refresh.ts answers. */
async function refresh(input: string): Promise<string> {
  try {
    return JSON.stringify({ result: "issued", ...(await issueCredentials(JSON.parse(input), 1, {})) });
  } catch (error) {
    if (error instanceof Failure) return JSON.stringify({ result: "failed", ...error.report() });
    throw error;
  }
}
