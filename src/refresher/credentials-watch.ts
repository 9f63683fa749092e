/** What lies on disk: the record of the last refresh, and whether the credentials file is still the one it tells of. */
import { sessionArn } from "../aws/arn.ts";
import type { Config } from "../config/config.ts";
import { stateFiles } from "../config/paths.ts";
import {
  expiresBootMs,
  type FileState,
  halfLifeBootMs,
  inspectFile,
  type RefreshRecord,
  readRecord,
  type Wanted,
} from "../credentials/record.ts";
import type { Instant } from "../host/clock.ts";
import { acquireLock, type Lock } from "../host/lock.ts";
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
    const found = await this.#inspect();
    const settled = found.file === "foreign" ? await this.#inspectBetweenRefreshes(files.refreshLock) : found;
    if (settled === null) return;
    this.#record = settled.record;
    this.#file = settled.file;
    this.#seen = seen;
  }

  async #inspect(): Promise<{ record: RefreshRecord | null; file: FileState }> {
    const record = await readRecord(
      stateFiles(this.#config.paths).refreshRecord,
      this.#config.credentialsFile.path,
    );
    return {
      record,
      file: await inspectFile(this.#config.credentialsFile.path, record, wantedOf(this.#config)),
    };
  }

  /**
   * File and record are replaced one after the other: read between the two, an operator's refresh looks like a
   * stranger's write. So they are read again with the lock held that every refresh takes.
   *
   * @returns null while a refresh is under way: its end is another change, and the next look's
   */
  async #inspectBetweenRefreshes(lockFile: string) {
    let lock: Lock | null;
    try {
      lock = acquireLock(lockFile, { keepHolder: true });
    } catch {
      // A state directory that is not ours any more: no refresh of ours can be under way in it, either.
      return this.#inspect();
    }
    if (lock === null) return null;
    try {
      return await this.#inspect();
    } finally {
      lock.release();
    }
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

function wantedOf({ roleArn, serial, credentialsFile: { profile, group } }: Config): Wanted {
  return { sessionArn: sessionArn(roleArn, serial) ?? "", profile, group };
}
