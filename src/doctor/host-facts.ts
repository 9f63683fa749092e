/** Facts of the host: the configuration, our units, what the service has left, who was registered. */
import { access, constants } from "node:fs/promises";
import type { Config } from "../config/config.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { runtimeFiles, stateFiles } from "../config/paths.ts";
import { type RefreshRecord, readRecord } from "../credentials/record.ts";
import { errorCode, errorText, Failure } from "../failure.ts";
import { processEnvironment } from "../host/process-environment.ts";
import { isBootedWithSystemd, showUnit, systemctlMessage, type UnitProperties } from "../host/systemd.ts";
import { type Registration, readRegistration } from "../registration/record.ts";
import { readStatus, type Status } from "../report/status.ts";
import { Unmet } from "./finding.ts";
import { once } from "./once.ts";
import { parseEnvironment } from "./unit-environment.ts";

export const OUR_UNIT = "idc-codedeploy-helper.service";
export const OUR_PATH_UNIT = "idc-codedeploy-helper-agent.path";

const PROPERTIES =
  "LoadState ActiveState SubState UnitFileState Result NRestarts ExecMainStatus MainPID Environment User Group CanReload ExecReload FragmentPath NeedDaemonReload".split(
    " ",
  );

export type ConfigReading = { loaded: LoadedConfig } | { failure: Failure; isHidden: boolean };

export type StatusReading = { status: Status | null } | { unusable: string };

export type RegistrationReading =
  | { kind: "read"; registration: Registration }
  | { kind: "none" }
  | { kind: "unusable"; why: string };

/** Hidden: it lies where this user may not look. */
export type RecordReading = { record: RefreshRecord | null } | "hidden";

export class HostFacts {
  readonly #configPath: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor({ configPath, env }: { configPath: string; env: NodeJS.ProcessEnv }) {
    this.#configPath = configPath;
    this.#env = env;
  }

  readonly configReading = once(async (): Promise<ConfigReading> => {
    try {
      const loaded = await loadConfig({
        path: this.#configPath,
        unknownKeys: "warn",
        requireTrusted: false,
        env: this.#env,
      });
      return { loaded };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { failure: error, isHidden: await isHidden(this.#configPath) };
    }
  });

  /** @throws Unmet */
  readonly config = once(async (): Promise<Config> => {
    const reading = await this.configReading();
    if ("loaded" in reading) return reading.loaded.config;
    throw new Unmet(reading.isHidden ? "the configuration may not be read" : "the configuration is wrong");
  });

  readonly ourUnit = once(() => readUnit(OUR_UNIT));
  readonly ourPathUnit = once(() => readUnit(OUR_PATH_UNIT));
  readonly agentUnit = once(async () => readUnit((await this.config()).agent.service));

  /** What the service has in its environment; null where that is not to be seen. */
  readonly serviceEnvironment = once(async (): Promise<ReadonlyMap<string, string> | null> => {
    const unit = await this.ourUnit().catch(() => null);
    if (unit === null || unit.get("LoadState") !== "loaded") return null;
    const running = await processEnvironment(Number(unit.get("MainPID") ?? 0));
    return running ?? parseEnvironment(unit.get("Environment") ?? "");
  });

  readonly status = once(async (): Promise<StatusReading> => {
    const file = runtimeFiles((await this.config()).paths).status;
    try {
      return { status: await readStatus(file) };
    } catch (error) {
      return { unusable: `${file} cannot be used: ${errorCode(error) ?? errorText(error)}` };
    }
  });

  readonly record = once(async (): Promise<RecordReading> => {
    const { paths, credentialsFile } = await this.config();
    const path = stateFiles(paths).refreshRecord;
    return (await isHidden(path)) ? "hidden" : { record: await readRecord(path, credentialsFile.path) };
  });

  readonly registration = once(async (): Promise<RegistrationReading> => {
    try {
      const registration = await readRegistration(this.#configPath);
      return registration === null ? { kind: "none" } : { kind: "read", registration };
    } catch (error) {
      return { kind: "unusable", why: errorCode(error) ?? errorText(error) };
    }
  });
}

/** Whether it lies where this user may not look; false where it is not there. */
export async function isHidden(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => false,
    (error: unknown) => ["EACCES", "EPERM"].includes(errorCode(error) ?? ""),
  );
}

/** @throws Unmet */
export async function readUnit(unit: string): Promise<UnitProperties> {
  if (!isBootedWithSystemd()) throw new Unmet("systemd is not this host's init");
  try {
    return await showUnit(unit, PROPERTIES);
  } catch (error) {
    throw new Unmet(`systemctl show ${unit} failed: ${systemctlMessage(error)}`);
  }
}
