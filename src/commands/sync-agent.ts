/**
 * `idc-helper sync-agent`: the root oneshot. Takes the request, makes the agent's config match, has the agent load
 * what it must, and leaves the answer.
 */

import type { SyncAnswer } from "../agent/exchange.ts";
import { runSync } from "../agent/run-sync.ts";
import type { Config } from "../config/config.ts";
import { formatIssue } from "../config/config-error.ts";
import { EXIT } from "../exit-codes.ts";
import { isSystemdService, timeFactor } from "../host/service-environment.ts";
import { openLog } from "../report/log.ts";
import { type Answering, type ConfigOption, print, printJson, readConfig } from "./options.ts";

export async function sync(options: ConfigOption & Answering): Promise<number> {
  const factor = timeFactor();
  const isRoot = process.geteuid?.() === 0;
  const { config, warnings } = await readConfig(options, {
    unknownKeys: isSystemdService() ? "warn" : "error",
    requireTrusted: isRoot || isSystemdService(),
  });
  const log = await openLog(config.log);
  for (const warning of warnings) log.warn("config_unknown_key", { message: formatIssue(warning) });
  const { request, answer } = await runSync({ config, factor, log, isUnattended: isSystemdService() });
  if (options.json) printJson(answer);
  else if (request === null) print(describe(answer, config));
  return answer.reload.state === "failed" ? EXIT.failed : EXIT.done;
}

function describe({ agent, config: found, reload }: SyncAnswer, config: Config): string {
  const changes = found.differences.map(
    ({ key, found: was, wanted }) => `    ${key}: ${was ?? "(missing)"} -> ${wanted ?? "(removed)"}`,
  );
  return [
    `Agent    ${config.agent.service}: ${agent.state}${agent.detail === "" ? "" : ` (${agent.detail})`}`,
    `Config   ${found.file}: ${found.state}${found.detail === "" ? "" : ` (${found.detail})`}`,
    ...changes,
    ...(found.backup === null ? [] : [`    the old file is kept as ${found.backup}`]),
    `Reload   ${reload.state.replaceAll("_", " ")}${reload.detail === "" ? "" : `: ${reload.detail}`}`,
    ...(reload.nextStep === "" ? [] : [`    ${reload.nextStep}`]),
  ].join("\n");
}
