/** `idc-helper check-config`: is this configuration right, and what does it come to? */

import { readAgentSettings } from "../agent/settings.ts";
import { partitionOf, sessionArn } from "../aws/arn.ts";
import type { Config } from "../config/config.ts";
import { formatIssue } from "../config/config-error.ts";
import { parseCron } from "../config/cron.ts";
import { formatDuration } from "../config/duration.ts";
import { EXIT } from "../exit-codes.ts";
import { timeFactor } from "../host/service-environment.ts";
import type { Plan } from "../refresher/plan.ts";
import { PLANNED_REFRESHES } from "../refresher/plan.ts";
import { nextRefreshes } from "../refresher/schedule.ts";
import { differenceFromRegistered } from "../registration/clone.ts";
import { readRegistration } from "../registration/record.ts";
import { localDateTime } from "../report/local-time.ts";
import {
  type Answering,
  type ConfigOption,
  print,
  printJson,
  readConfig,
  readResolvedConfig,
} from "./options.ts";

export interface CheckConfigOptions extends ConfigOption, Answering {
  /** For `run`: the values and the schedule's next times, whatever unknown keys there are. */
  plan?: boolean;
  resolvedConfig?: boolean;
}

export async function checkConfig(options: CheckConfigOptions): Promise<number> {
  if (options.plan) {
    printJson(await plan(options));
    return EXIT.done;
  }
  const { config } = await readConfig(options, { unknownKeys: "error" });
  const notes = await findNotes(config);
  const upcoming = nextRefreshes(config, Date.now(), 3, timeFactor()).map((time) => new Date(time));
  if (options.json) printJson({ valid: true, config, notes, next_refreshes: upcoming }, { isLong: true });
  else print(describe(config, upcoming, notes));
  return EXIT.done;
}

async function plan(options: CheckConfigOptions): Promise<Plan> {
  const { config, warnings } = options.resolvedConfig
    ? { config: readResolvedConfig(), warnings: [] }
    : await readConfig(options, { unknownKeys: "warn" });
  const refreshes = nextRefreshes(config, Date.now(), PLANNED_REFRESHES, timeFactor());
  const registration = await readRegistration(config.configFile).catch(() => null);
  const isClone = registration !== null && differenceFromRegistered(registration) !== null;
  return { config, warnings: warnings.map(formatIssue), isClone, refreshes };
}

/** What is allowed, and yet worth knowing before it is live. */
async function findNotes(config: Config): Promise<string[]> {
  const notes: string[] = [];
  const cron = parseCron(config.schedule);
  const reading = await readAgentSettings(config.agent.settingsFile);
  const windowMs = "settings" in reading ? reading.settings.pickupWindowMs : null;
  if ("unreadable" in reading)
    notes.push(`the agent's settings are not readable here: ${reading.unreadable}`);
  if (!("error" in cron) && windowMs !== null && cron.longestGapMs + windowMs > config.sessionDurationMs) {
    notes.push(
      `the agent picks a new file up within ${formatDuration(windowMs)}, which is longer than what remains of a session at the next refresh (${formatDuration(config.sessionDurationMs - cron.longestGapMs)}): it will have to be reloaded at each refresh. A denser schedule or a longer session_duration avoids that`,
    );
  }
  if (partitionOf(config.region) === null)
    notes.push(`the region ${config.region} is not one that this version knows`);
  return notes;
}

function describe(config: Config, upcoming: Date[], notes: string[]): string {
  const rows: [string, string][] = [
    ["serial", config.serial],
    ["session", sessionArn(config.roleArn, config.serial) ?? ""],
    ["lasts", formatDuration(config.sessionDurationMs)],
    ["schedule", `${config.schedule}, shifted by ${formatDuration(config.offsetMs)} for this serial`],
    ["next", upcoming.map(localDateTime).join(", ")],
    ["written to", config.credentialsFile.path],
    ...(config.metrics.textfile === null ? [] : [["metrics", config.metrics.textfile] as [string, string]]),
    ["agent", `${config.agent.service}; drift: ${config.agent.onDrift}, reload: ${config.agent.reload}`],
  ];
  const table = rows.map(([name, value]) => `  ${name.padEnd(11)}${value}`);
  return [`${config.configFile} is valid.`, ...table, ...notes.map((note) => `Note: ${note}.`)].join("\n");
}
