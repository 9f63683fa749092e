/**
 * `idc-helper sync-agent`: the root oneshot. Takes the request, makes the agent's config match, has the agent load
 * what it must, and leaves the answer.
 */

import { type SyncAnswer, takeRequest } from "../agent/exchange.ts";
import { syncAgent } from "../agent/sync.ts";
import type { Config } from "../config/config.ts";
import { formatIssue } from "../config/config-error.ts";
import { agentRuntimeFiles } from "../config/paths.ts";
import { EXIT } from "../exit-codes.ts";
import { errorText, Failure } from "../failure.ts";
import { replaceFile } from "../host/atomic-file.ts";
import { acquireLock } from "../host/lock.ts";
import { isSystemdService, timeFactor } from "../host/service-environment.ts";
import { createLog } from "../report/log.ts";
import { type Answering, type ConfigOption, print, printJson, readConfig } from "./options.ts";

const LOCK_WAIT_MS = 90_000;

export async function sync(options: ConfigOption & Answering): Promise<number> {
  const factor = timeFactor();
  const isRoot = process.geteuid?.() === 0;
  const { config, warnings } = await readConfig(options, {
    unknownKeys: isSystemdService() ? "warn" : "error",
    requireTrusted: isRoot || isSystemdService(),
  });
  const log = createLog(config.log);
  for (const warning of warnings) log.warn("config_unknown_key", { message: formatIssue(warning) });
  const files = agentRuntimeFiles(config.paths);
  const lock = lockRuns(files.syncLock);
  try {
    const request = await takeRequest(config.paths);
    const answer = await syncAgent({ config, request, factor, log });
    await writeAnswer(files.answer, answer);
    if (options.json) printJson(answer);
    else if (request === null) print(describe(answer, config));
    return answer.reload.state === "failed" ? EXIT.failed : EXIT.done;
  } finally {
    lock.release();
  }
}

function lockRuns(path: string): { release(): void } {
  const lock = acquireLock(path, { waitMs: LOCK_WAIT_MS });
  if (lock !== null) return lock;
  throw new Failure({
    kind: "busy",
    message: `another sync-agent holds ${path} and does not end`,
    nextStep: `See what it waits for: fuser -v ${path}`,
  });
}

async function writeAnswer(path: string, answer: SyncAnswer): Promise<void> {
  try {
    await replaceFile(path, `${JSON.stringify(answer, null, 2)}\n`, { mode: 0o644 });
  } catch (error) {
    throw new Failure({
      kind: "cannot_write",
      message: `the answer ${path} was not written: ${errorText(error)}`,
      nextStep: "Its directory belongs to root; systemd-tmpfiles --create makes it.",
    });
  }
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
