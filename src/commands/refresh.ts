/**
 * `idc-helper refresh`: new credentials now. `run` starts this same command on its schedule.
 *
 * Typed by root, it leaves nothing of root's behind: it asks the running service, or becomes the service's user.
 */

import type { Config } from "../config/config.ts";
import { formatIssue } from "../config/config-error.ts";
import { formatDuration } from "../config/duration.ts";
import { EXIT, exitCodeOf } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { becomeServiceUser } from "../host/privileges.ts";
import { isSystemdService, timeFactor } from "../host/service-environment.ts";
import { askRunningService, findRunningService } from "../refresher/ask-service.ts";
import { type Issued, issueCredentials } from "../refresher/issue.ts";
import { localDateTime } from "../report/local-time.ts";
import {
  type Answering,
  type ConfigOption,
  print,
  printJson,
  readConfig,
  readResolvedConfig,
} from "./options.ts";

export interface RefreshOptions extends ConfigOption, Answering {
  resolvedConfig?: boolean;
}

export async function refresh(options: RefreshOptions): Promise<number> {
  try {
    const issued = await obtain(options);
    if (options.json) printJson({ result: "issued", ...issued });
    else print(describe(issued));
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof Failure) || !options.json) throw error;
    printJson({ result: "failed", ...error.report() });
    return exitCodeOf(error.kind);
  }
}

async function obtain(options: RefreshOptions): Promise<Issued> {
  const factor = timeFactor();
  const config = options.resolvedConfig ? readResolvedConfig() : await readOwnConfig(options);
  const isRoot = process.geteuid?.() === 0;
  // First of all: whom root would signal is written in a file of the service's user.
  becomeServiceUser(config.paths.stateDir, config.credentialsFile.group);
  if (isRoot && !isSystemdService() && !options.resolvedConfig) {
    const service = findRunningService(config.paths);
    if (service !== null) return askRunningService(config.paths, service);
  }
  return issueCredentials(config, factor, process.env);
}

async function readOwnConfig(options: RefreshOptions): Promise<Config> {
  const { config, warnings } = await readConfig(options, { unknownKeys: "warn" });
  for (const warning of warnings) process.stderr.write(`Warning: ${formatIssue(warning)}\n`);
  return config;
}

function describe({ expiresAt, sessionArn, warnings }: Issued): string {
  const left = formatDuration(Date.parse(expiresAt) - Date.now());
  return [
    `Refreshed: the credentials of ${sessionArn} last until ${localDateTime(new Date(expiresAt))} (${left}).`,
    ...warnings.map(({ message, nextStep }) => `Warning: ${message}\n  ${nextStep}`),
  ].join("\n");
}
