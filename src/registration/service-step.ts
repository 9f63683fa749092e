/** Our service is enabled and running, and has issued credentials for what is configured now. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/config.ts";
import { formatDuration } from "../config/duration.ts";
import { runtimeFiles } from "../config/paths.ts";
import { FAILURE_KINDS, Failure, needsAPerson } from "../failure.ts";
import { scaledLimit, timeFactor } from "../host/service-environment.ts";
import { changeUnits, showUnit } from "../host/systemd.ts";
import type { StepOutcome } from "../report/progress.ts";
import { readStatus, type Status } from "../report/status.ts";

export const SERVICE = "idc-codedeploy-helper.service";
export const ONESHOT = "idc-codedeploy-helper-agent.service";
export const PATH_UNIT = "idc-codedeploy-helper-agent.path";

/** READY comes after 45 s at the latest. */
const START_LIMIT_MS = 100_000;
const CREDENTIALS_LIMIT_MS = 90_000;
const POLL_MS = 200;

export interface ServiceNeeds {
  config: Config;
  sessionArn: string;
  /** Whether a file that the running service has read was changed. */
  isConfigChanged: boolean;
  /** Whether a drop-in of its unit was. */
  isUnitChanged?: boolean;
  /** How often the base credentials were changed: what failed with the old ones is no failure of the new. */
  isBaseChanged: boolean;
}

/** @throws Failure: the service's own, or `host_not_ready` when it does not start */
export async function startService(needs: ServiceNeeds): Promise<StepOutcome> {
  const { config, sessionArn, isConfigChanged, isBaseChanged, isUnitChanged = false } = needs;
  const obstacle = await serviceObstacle();
  if (obstacle !== null)
    throw new Failure({ kind: "host_not_ready", message: obstacle.what, nextStep: obstacle.nextStep });
  const before = await unitState();
  const isUnitStale = isUnitChanged || before.needsReload;
  if (isUnitStale) {
    await changeUnits(START_LIMIT_MS, ["daemon-reload"], []);
    await changeUnits(START_LIMIT_MS, ["try-restart"], [PATH_UNIT]);
  }
  const changes: string[] = [];
  const startedAtMs = Date.now();
  if (before.file !== "enabled") {
    await changeUnits(START_LIMIT_MS, ["enable"], [SERVICE]);
    changes.push("enabled");
  }
  if (before.active !== "active") {
    if (before.active === "failed") await changeUnits(START_LIMIT_MS, ["reset-failed"], [SERVICE]);
    await changeUnits(START_LIMIT_MS, ["start"], [SERVICE]);
    changes.push("started");
  } else if (isConfigChanged || isBaseChanged || isUnitStale || !(await isDoingWell(config, sessionArn))) {
    // An earlier run may have changed what it reads, and have been killed before it came to this.
    // Restarted, not reloaded: it then tries at once, also where it was resting after a failure.
    await changeUnits(START_LIMIT_MS, ["restart"], [SERVICE]);
    changes.push("restarted");
  }
  const status = await awaitCredentials(config, sessionArn, changes.length > 0 ? startedAtMs : null);
  const left = Date.parse(status.credentials?.expires_at ?? "") - Date.now();
  const what = `credentials in ${status.credentials?.file} last ${formatDuration(left)}`;
  return changes.length === 0
    ? { state: "kept", detail: `running; ${what}` }
    : { state: "done", detail: `${changes.join(", ")}; ${what}` };
}

interface UnitState {
  load: string;
  active: string;
  file: string;
  /** Its files have changed since systemd read them. */
  needsReload: boolean;
}

async function unitState(): Promise<UnitState> {
  const properties = ["LoadState", "ActiveState", "UnitFileState", "NeedDaemonReload"];
  const found = await showUnit(SERVICE, properties).catch(() => null);
  const value = (key: string) => found?.get(key) ?? "";
  return {
    load: value("LoadState"),
    active: value("ActiveState"),
    file: value("UnitFileState"),
    needsReload: value("NeedDaemonReload") === "yes",
  };
}

/** What keeps our service from being started at all; null when nothing is known to. */
export async function serviceObstacle(): Promise<{ what: string; nextStep: string } | null> {
  const { load } = await unitState();
  if (load === "not-found")
    return {
      what: `there is no unit ${SERVICE}`,
      nextStep: "Install the package: yum install idc-codedeploy-helper",
    };
  if (load === "masked")
    return { what: `${SERVICE} is masked`, nextStep: `Run: systemctl unmask ${SERVICE}` };
  return null;
}

async function isDoingWell(config: Config, sessionArn: string): Promise<boolean> {
  const status = await readStatus(runtimeFiles(config.paths).status).catch(() => null);
  return status !== null && status.region === config.region && hasCredentials(status, sessionArn);
}

/** Whether {@link startService} would change nothing. */
export async function isServiceInOrder(config: Config, sessionArn: string): Promise<boolean> {
  const { active, file } = await unitState();
  return active === "active" && file === "enabled" && (await isDoingWell(config, sessionArn));
}

/** @param sinceMs what failed before this (wall clock) is another run's; null where nothing was started */
async function awaitCredentials(config: Config, sessionArn: string, sinceMs: number | null): Promise<Status> {
  const file = runtimeFiles(config.paths).status;
  const limitMs = scaledLimit(CREDENTIALS_LIMIT_MS, timeFactor());
  const deadline = performance.now() + limitMs;
  let status: Status | null = null;
  while (performance.now() < deadline) {
    status = await readStatus(file).catch(() => null);
    if (status !== null && hasCredentials(status, sessionArn)) return status;
    const failure = status?.failure ?? null;
    const isOfThisRun = sinceMs === null || Date.parse(status?.started_at ?? "") >= sinceMs - 1_000;
    if (failure !== null && isOfThisRun && isFinal(failure.kind)) throw serviceFailure(failure);
    await sleep(POLL_MS);
  }
  if (status?.failure) throw serviceFailure(status.failure);
  throw new Failure({
    kind: "timeout",
    message: `${SERVICE} issued no credentials within ${limitMs / 1_000} s`,
    nextStep: `See: idc-helper status; journalctl -u ${SERVICE}`,
  });
}

function hasCredentials({ state, session_arn, credentials }: Status, sessionArn: string): boolean {
  if (state !== "fresh" || session_arn !== sessionArn || !credentials?.in_place) return false;
  return Date.parse(credentials.expires_at) > Date.now();
}

/** What no waiting mends. */
function isFinal(kind: string): boolean {
  const known = FAILURE_KINDS.find((each) => each === kind);
  return known !== undefined && (needsAPerson(known) || known === "cannot_write");
}

function serviceFailure({ kind, message, next_step }: NonNullable<Status["failure"]>): Failure {
  return new Failure({
    kind: FAILURE_KINDS.find((each) => each === kind) ?? "crashed",
    message: `the service could not get its first credentials: ${message}`,
    nextStep: next_step,
  });
}
