/** What each key alone cannot tell: whether the values of a config fit together. */
import { resolve } from "node:path";
import { parseRoleArn, partitionOf } from "../aws/arn.ts";
import { parseCron } from "./cron.ts";
import { formatDuration } from "./duration.ts";
import { ROOT_SHARED_CREDENTIALS_FILE } from "./paths.ts";
import type { ConfigFile } from "./schema.ts";

/**
 * Between the last refresh that still counts and the expiry there must be room for a failed attempt or two: the
 * longest backoff step is 40 s, and one attempt may last 60 s.
 */
export const LEAST_MARGIN_MS = 5 * 60_000;

export interface Misfit {
  /** The key that the message is about. */
  key: readonly string[];
  /** All keys involved; where one of these is wrong in itself, the combination is not judged. */
  involves: readonly (readonly string[])[];
  message: string;
}

export interface Places {
  configFile: string;
  /** Where the session credentials go, by the config or by default. */
  credentialsPath: string;
}

export function findMisfits(config: ConfigFile, places: Places): Misfit[] {
  return [
    ...scheduleLeavesMargin(config),
    ...regionFitsRole(config),
    ...credentialsPathIsSafe(config, places),
    ...timeoutsNest(config),
  ];
}

function scheduleLeavesMargin({ schedule, session_duration }: ConfigFile): Misfit[] {
  const cron = parseCron(schedule);
  if ("error" in cron) return [];
  const margin = session_duration - cron.longestGapMs;
  if (margin >= LEAST_MARGIN_MS) return [];
  const sessions = `sessions last ${formatDuration(session_duration)}`;
  const allowed = formatDuration(session_duration - LEAST_MARGIN_MS);
  const message =
    cron.longestGapMs === Infinity
      ? `it does not run every day, and ${sessions}; the longest time between two refreshes may be ${allowed}`
      : `its longest gap is ${formatDuration(cron.longestGapMs)} and ${sessions}, which ${
          margin > 0
            ? `leaves only ${formatDuration(margin)}`
            : margin < 0
              ? `is ${formatDuration(-margin)} too late`
              : "leaves nothing"
        }; ${formatDuration(LEAST_MARGIN_MS)} must remain, so a gap may be ${allowed} at most`;
  return [{ key: ["schedule"], involves: [["schedule"], ["session_duration"]], message }];
}

function regionFitsRole({ region, role_arn }: ConfigFile): Misfit[] {
  const wanted = partitionOf(region);
  const found = parseRoleArn(role_arn)?.partition;
  if (wanted === null || found === undefined || wanted === found) return [];
  return [
    {
      key: ["role_arn"],
      involves: [["role_arn"], ["region"]],
      message: `its partition is ${found}, but the region ${region} belongs to ${wanted}`,
    },
  ];
}

function credentialsPathIsSafe(config: ConfigFile, { configFile, credentialsPath: path }: Places): Misfit[] {
  const { group } = config.credentials_file;
  const key = ["credentials_file", "path"];
  const misfits: Misfit[] = [];
  if (path === ROOT_SHARED_CREDENTIALS_FILE || path.endsWith("/.aws/credentials")) {
    misfits.push({
      key,
      involves: [key],
      message:
        "this is the AWS SDK's own default path, which the SDK in the agent caches for ever: the agent would run into ExpiredTokenException although the file is fresh; any other path is allowed",
    });
  }
  const taken: [string, readonly string[], string][] = [
    [config.base_credentials.file, ["base_credentials", "file"], "base_credentials.file"],
    [resolve(configFile), [], "this config file"],
    [config.agent.settings_file, ["agent", "settings_file"], "agent.settings_file"],
    [config.metrics.textfile ?? "", ["metrics", "textfile"], "metrics.textfile"],
  ];
  for (const [other, otherKey, name] of taken) {
    if (path !== other) continue;
    misfits.push({
      key,
      involves: [key, otherKey],
      message: `it is the same path as ${name}, which it would overwrite`,
    });
  }
  if (group === "root") {
    misfits.push({
      key: ["credentials_file", "group"],
      involves: [["credentials_file", "group"]],
      message:
        "root reads the file anyway; null, or the group of the user that the agent runs as, is allowed",
    });
  }
  return misfits;
}

function timeoutsNest({ network }: ConfigFile): Misfit[] {
  if (network.connect_timeout <= network.request_timeout) return [];
  const key = ["network", "connect_timeout"];
  return [
    {
      key,
      involves: [key, ["network", "request_timeout"]],
      message: `it is longer than network.request_timeout (${formatDuration(network.request_timeout)}), which covers the whole request`,
    },
  ];
}
