/** Statement (1) of sync: the agent's on-premises config says what our config says. */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { Config } from "../config/config.ts";
import { errorCode, errorText } from "../failure.ts";
import type { Instant } from "../host/clock.ts";
import type { Log } from "../report/log.ts";
import { desiredConfig, digestOf, type OnPremisesConfig } from "./desired-config.ts";
import type { SyncAnswer } from "./exchange.ts";
import {
  type Difference,
  type Reading,
  readOnPremisesConfig,
  repairOnPremisesConfig,
} from "./on-premises-config.ts";
import type { AgentSettings } from "./settings.ts";
import type { SyncRecord } from "./sync-record.ts";

export interface KeptConfig {
  report: SyncAnswer["config"];
  isAsDesired: boolean;
  wasRepaired: boolean;
  /** What it says now, in a form that compares; null when that is not known. */
  meaning: string | null;
  /** When the file was last changed, by the wall clock; null when there is none. */
  changedWallMs: number | null;
}

export interface Upkeep {
  config: Config;
  /** What the service says is in force ({@link digestOf}); null when nobody says. */
  inForce: string | null;
  settings: AgentSettings;
  log: Log;
  /** Called before a repair: killed in the middle of one, the next run must not take the config for long loaded. */
  beforeRepair: () => Promise<void>;
}

export async function keepConfig({
  config,
  inForce,
  settings,
  log,
  beforeRepair,
}: Upkeep): Promise<KeptConfig> {
  const file = settings.onPremisesConfigFile;
  const desired = desiredConfig(config);
  if (inForce !== null && inForce !== digestOf(desired)) {
    // The credentials are not those of this configuration yet: the agent would be led to what does not exist.
    return unknown(
      file,
      `${config.configFile} was changed and is not in force: systemctl reload idc-codedeploy-helper`,
    );
  }
  const reading = await readOnPremisesConfig(file, desired);
  if (reading.kind === "unreadable") return unknown(file, `it cannot be read: ${reading.why}`);
  if (reading.kind === "read" && reading.differences.length === 0) {
    const report: SyncAnswer["config"] = {
      state: "matches",
      file,
      detail: "",
      differences: [],
      backup: null,
    };
    return {
      report,
      isAsDesired: true,
      wasRepaired: false,
      meaning: reading.meaning,
      changedWallMs: changedWallMs(file),
    };
  }
  const differences = reading.kind === "read" ? reading.differences : allMissing(desired);
  if (reading.kind === "missing" && !isDirectory(dirname(file))) {
    return {
      ...unknown(file, `${dirname(file)} does not exist: is the CodeDeploy agent installed?`),
      meaning: null,
    };
  }
  if (config.agent.onDrift === "report") return reported(file, reading, differences);
  await beforeRepair();
  return repair(file, desired, reading, differences, log);
}

async function repair(
  file: string,
  desired: OnPremisesConfig,
  old: Reading,
  differences: Difference[],
  log: Log,
): Promise<KeptConfig> {
  let backup: string | null;
  try {
    backup = await repairOnPremisesConfig(file, desired, old, new Date());
  } catch (error) {
    const why = errorCode(error) ?? errorText(error);
    log.error("agent_config_not_repaired", { file, why });
    const drifted = reported(file, old, differences);
    return { ...drifted, report: { ...drifted.report, detail: `it could not be repaired: ${why}` } };
  }
  for (const { key, found, wanted } of differences)
    log.warn("agent_config_repaired", { file, key, old: found, new: wanted, backup });
  const repaired = await readOnPremisesConfig(file, desired);
  return {
    report: { state: "repaired", file, detail: "", differences, backup },
    isAsDesired: true,
    wasRepaired: true,
    meaning: repaired.kind === "read" ? repaired.meaning : null,
    changedWallMs: changedWallMs(file),
  };
}

function reported(file: string, reading: Reading, differences: Difference[]): KeptConfig {
  const state = reading.kind === "missing" ? "missing" : "drifted";
  return {
    report: {
      state,
      file,
      detail: "agent.on_drift is report: it was left as it is",
      differences,
      backup: null,
    },
    isAsDesired: false,
    wasRepaired: false,
    meaning: reading.kind === "read" ? reading.meaning : null,
    changedWallMs: changedWallMs(file),
  };
}

function unknown(file: string, detail: string): KeptConfig {
  const report: SyncAnswer["config"] = { state: "unknown", file, detail, differences: [], backup: null };
  return { report, isAsDesired: false, wasRepaired: false, meaning: null, changedWallMs: null };
}

function allMissing(desired: OnPremisesConfig): Difference[] {
  return Object.entries(desired).map(([key, wanted]) => ({ key, found: null, wanted }));
}

/** Whether somebody has been at the file after it was looked at; of what was not known, nothing is. */
export function hasChangedSince({ report, changedWallMs: before }: KeptConfig): boolean {
  return report.state !== "unknown" && changedWallMs(report.file) !== before;
}

/**
 * Since when the config has been saying what it says, on the boot clock. Known exactly from one run to the next;
 * at the first sight in a boot only the file's own time tells, which a step of the clock may have falsified: a
 * time in the future counts as now, which costs at most one graceful reload.
 *
 * @param pidFile of the agent, which its master writes as it starts
 */
export function configChangedBootMs(
  kept: KeptConfig,
  { config }: SyncRecord,
  now: Instant,
  pidFile: string,
): number {
  if (kept.wasRepaired) return now.bootMs;
  if (config !== null) return config.meaning === kept.meaning ? config.sinceBootMs : now.bootMs;
  if (kept.changedWallMs === null) return now.bootMs;
  const changedBootMs = now.bootMs - (now.wallMs - kept.changedWallMs);
  if (changedBootMs > 2 * now.bootMs && !isFromTheFuture(pidFile, now)) return 0;
  return Math.min(now.bootMs, changedBootMs);
}

/**
 * A host that boots with its clock hours behind finds all its files in the future. By more than it has been up, and
 * with the agent's own start not in the future, nothing of this boot can be.
 */
function isFromTheFuture(path: string, { wallMs }: Instant): boolean {
  try {
    return statSync(path).mtimeMs > wallMs;
  } catch {
    // Not there, or the agent's settings lead to where no file can be.
    return true;
  }
}

/** What cannot be told counts as changed now, which costs at most one graceful reload. */
function changedWallMs(file: string): number | null {
  try {
    return statSync(file).ctimeMs;
  } catch {
    return null;
  }
}

/** Where that cannot be told, the repair itself says what is wrong. */
function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    return errorCode(error) !== "ENOENT" && errorCode(error) !== "ENOTDIR";
  }
}
