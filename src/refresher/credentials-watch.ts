/** What lies on disk: the record of the last refresh, and whether the credentials file is still the one it tells of. */
import type { Config } from "../config/config.ts";
import { stateFiles } from "../config/paths.ts";
import {
  expiresBootMs,
  type FileState,
  halfLifeBootMs,
  inspectFile,
  type RefreshRecord,
  readRecord,
} from "../credentials/record.ts";
import type { Instant } from "../host/clock.ts";
import { acquireLock } from "../host/lock.ts";
import { fingerprint } from "./watched-files.ts";

export class CredentialsWatch {
  readonly #bootId: string;
  #config: Config;
  #record: RefreshRecord | null = null;
  #file: FileState = "missing";
  #seen = "";
  #seenBase: string;

  constructor(config: Config, bootId: string) {
    this.#config = config;
    this.#bootId = bootId;
    this.#seenBase = fingerprint(config.baseCredentials.file);
  }

  get record(): RefreshRecord | null {
    return this.#record;
  }

  get file(): FileState {
    return this.#file;
  }

  expiresBootMs(now: Instant): number | null {
    return this.#record && expiresBootMs(this.#record, now, this.#bootId);
  }

  halfLifeBootMs(now: Instant): number | null {
    return this.#record && halfLifeBootMs(this.#record, now, this.#bootId);
  }

  /** Reads what changed since the last look. */
  async look(): Promise<void> {
    const files = stateFiles(this.#config.paths);
    const seen = `${fingerprint(this.#config.credentialsFile.path)} ${fingerprint(files.refreshRecord)}`;
    if (seen === this.#seen) return;
    const record = await readRecord(files.refreshRecord);
    const file = await inspectFile(this.#config.credentialsFile.path, record);
    // File and record are replaced one after the other: between the two, an operator's refresh looks like a
    // stranger's write.
    if (file === "foreign" && isRefreshUnderWay(files.refreshLock)) return;
    this.#record = record;
    this.#file = file;
    this.#seen = seen;
  }

  /** Whether somebody has changed the base credentials since this was last asked. */
  haveBaseCredentialsChanged(): boolean {
    const seen = fingerprint(this.#config.baseCredentials.file);
    const isChanged = seen !== this.#seenBase;
    this.#seenBase = seen;
    return isChanged;
  }

  configure(config: Config): void {
    this.#config = config;
    this.#seen = "";
    this.#seenBase = fingerprint(config.baseCredentials.file);
  }
}

function isRefreshUnderWay(lockFile: string): boolean {
  const lock = acquireLock(lockFile, { keepHolder: true });
  lock?.release();
  return lock === null;
}
