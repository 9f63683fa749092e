/** `idc-helper run`: the service. Decides when, starts the others, and tells how things stand. */

import { mkdirSync } from "node:fs";
import { CONFIG_FILE, stateFiles } from "../config/paths.ts";
import { EXIT } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { acquireLock, readLockHolder } from "../host/lock.ts";
import { openNotifier } from "../host/notify.ts";
import { becomeServiceUser } from "../host/privileges.ts";
import { timeFactor } from "../host/service-environment.ts";
import { REFRESH_SIGNAL } from "../refresher/ask-service.ts";
import { makePlan } from "../refresher/plan.ts";
import { Supervisor } from "../refresher/supervisor.ts";
import { openLog } from "../report/log.ts";
import { VERSION } from "../version.ts";
import type { ConfigOption } from "./options.ts";

/** A `refresh` of root's that looks for us holds the lock for a moment. */
const LOCK_WAIT_MS = 2_000;

export async function run(options: ConfigOption): Promise<number> {
  const factor = timeFactor();
  const plan = await makePlan(options.config ?? CONFIG_FILE, process.env);
  const { config } = plan;
  const log = await openLog(config.log);
  becomeServiceUser(config.paths.stateDir, config.credentialsFile.group);
  mkdirSync(config.paths.runtimeDir, { recursive: true, mode: 0o755 });
  const lockFile = stateFiles(config.paths).runLock;
  const lock = acquireLock(lockFile, { waitMs: LOCK_WAIT_MS });
  if (lock === null) {
    const holder = readLockHolder(lockFile);
    throw new Failure({
      kind: "busy",
      message: `another idc-helper run${holder === null ? "" : ` (process ${holder})`} keeps ${config.paths.stateDir}`,
      nextStep: "One is enough for a host. See: systemctl status idc-codedeploy-helper",
    });
  }
  const notifier = openNotifier(process.env, log);
  log.info("started", {
    version: VERSION,
    serial: config.serial,
    config: config.configFile,
    pid: process.pid,
  });
  for (const message of plan.warnings) log.warn("config_unknown_key", { message });
  const supervisor = await Supervisor.create({ plan, factor, log, notifier, env: process.env });
  process.on("SIGTERM", () => supervisor.stop());
  process.on("SIGINT", () => supervisor.stop());
  process.on("SIGHUP", () => void supervisor.reload());
  process.on(REFRESH_SIGNAL, () => supervisor.askRefresh());
  // Credentials that came with the clone may look good for half an hour: it is told, and refused, at once.
  if (plan.isClone) supervisor.askRefresh();
  await supervisor.run();
  lock.release();
  return EXIT.done;
}
