/** The files of a scratch host, as a test reads and writes them from outside. */
import { readFileSync, rmSync } from "node:fs";
import { join, normalize } from "node:path";
import type { SyncAnswer } from "../../../src/agent/exchange.ts";
import type { Status } from "../../../src/report/status.ts";
import { BASE_KEY, ROLE_ARN } from "../../aws-emulator/emulator.ts";
import { SERIAL } from "../scratch-host.ts";
import { ACCOUNTS, type AccountName } from "./accounts.ts";
import { HARNESS_DIRECTORY } from "./inside.ts";
import { type FileOptions, writeOwned } from "./layout.ts";
import { COVERED } from "./namespace.ts";
import { type Snapshot, takeSnapshot } from "./snapshot.ts";

export const CONFIG_FILE = "/etc/idc-codedeploy-helper/config.yaml";
export const BASE_CREDENTIALS_FILE = "/etc/idc-codedeploy-helper/base-credentials";
export const CREDENTIALS_FILE = "/var/lib/idc-codedeploy-helper/credentials";
export const ON_PREMISES_CONFIG_FILE = "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml";

export interface KeyPair {
  accessKeyId: string;
  secretAccessKey: string;
}

export class HostFiles {
  /** The scratch directory, as it lies outside. */
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Where a file of the host lies outside. @throws for one that is not the host's own */
  path(inside: string): string {
    const relative = normalize(inside).slice(1);
    if (!COVERED.some((directory) => relative === directory || relative.startsWith(`${directory}/`))) {
      throw new Error(`${inside} is not among the scratch host's own files`);
    }
    return join(this.directory, relative);
  }

  read(path: string): string {
    return readFileSync(this.path(path), "utf8");
  }

  /** Root's and 0644 by default; its directories are made. */
  write(path: string, text: string, options: FileOptions = {}): void {
    writeOwned(this.path(path), text, options);
  }

  remove(path: string): void {
    rmSync(this.path(path), { force: true });
  }

  /** Puts a program of the test's own before the host's: `program("rpm", "#!/bin/sh\n…")`. */
  program(name: string, text: string): void {
    this.write(`${HARNESS_DIRECTORY}/bin/${name}`, text, { mode: 0o755 });
  }

  /** Every file of the host, with mode and owner: to show what a command has changed, or that it changed nothing. */
  snapshot(): Snapshot {
    return takeSnapshot(this.directory);
  }

  /** A config written by hand, as for the emulator's role and this host's usual serial. */
  writeConfig({ serial = SERIAL, more = "" }: { serial?: string; more?: string } = {}): void {
    this.write(CONFIG_FILE, `serial: ${serial}\nregion: ap-northeast-2\nrole_arn: ${ROLE_ARN}\n${more}`);
  }

  writeBaseCredentials(key: KeyPair = BASE_KEY): void {
    this.write(BASE_CREDENTIALS_FILE, profile(key), { mode: 0o640, group: "idc-helper" });
  }

  /** In a user's `~/.aws/credentials`. */
  writeSharedCredentials(key: KeyPair, { as = "root" }: { as?: AccountName } = {}): void {
    const path = join(ACCOUNTS[as].home, ".aws/credentials");
    this.write(path, profile(key), { mode: 0o600, owner: as });
  }

  status(): Status | null {
    return this.#json("/run/idc-codedeploy-helper/status.json");
  }

  agentAnswer(): SyncAnswer | null {
    return this.#json("/run/idc-codedeploy-helper-agent/agent.json");
  }

  #json<T>(path: string): T | null {
    try {
      return JSON.parse(this.read(path)) as T;
    } catch {
      return null;
    }
  }
}

const profile = ({ accessKeyId, secretAccessKey }: KeyPair): string =>
  `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
