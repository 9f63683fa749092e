/**
 * Where a host keeps its crontabs: root's and the users' (RHEL: /var/spool/cron/USER, Debian:
 * /var/spool/cron/crontabs/USER), /etc/crontab and /etc/cron.d. Read as root, changed one line at a time.
 *
 * Cron looks at the time of the directory or of the file, so a file that is replaced is loaded within a minute. A
 * temporary file's name begins with a dot, which no cron reads.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, errorText, Failure } from "../failure.ts";
import { AtomicFile } from "../host/atomic-file.ts";
import { readBytes } from "../host/read-file.ts";
import { toolEnvironment } from "../host/tool-environment.ts";
import type { CrontabFormat } from "./crontab.ts";

export interface CrontabFile {
  path: string;
  format: CrontabFormat;
  text: string;
}

export interface CrontabReading {
  files: CrontabFile[];
  /** What is there and could not be read, with the reason. */
  unread: string[];
}

const SYSTEM_CRONTAB = "/etc/crontab";
const SYSTEM_DIRECTORY = "/etc/cron.d";
const USER_DIRECTORIES = ["/var/spool/cron", "/var/spool/cron/crontabs", "/var/spool/cron/tabs"];

const MAX_BYTES = 1_024 * 1_024;
const MAX_FILES = 1_000;
/** Files that no cron loads: hidden ones, and what editors and package managers leave behind. */
const NOT_LOADED = /^\.|~$|\.(?:rpm(?:save|new|orig)|swp|dpkg-(?:old|new|dist|tmp)|bak|disabled)$/;
const SELINUX = "/sys/fs/selinux/enforce";

export async function readCrontabs(): Promise<CrontabReading> {
  const reading: CrontabReading = { files: [], unread: [] };
  const take = async (path: string, format: CrontabFormat) => {
    try {
      reading.files.push({ path, format, text: await readCrontab(path) });
    } catch (error) {
      const code = errorCode(error);
      // Directories lie among the users' crontabs on Debian; links and sockets are nobody's crontab.
      if (code === "ENOENT" || code === "ENOTREG") return;
      reading.unread.push(`${path}: ${code === "EACCES" ? "permission denied" : errorText(error)}`);
    }
  };
  await take(SYSTEM_CRONTAB, { kind: "system" });
  for (const name of await namesIn(SYSTEM_DIRECTORY, reading))
    await take(join(SYSTEM_DIRECTORY, name), { kind: "system" });
  for (const directory of USER_DIRECTORIES) {
    for (const user of await namesIn(directory, reading))
      await take(join(directory, user), { kind: "user", user });
  }
  return reading;
}

async function namesIn(directory: string, reading: CrontabReading): Promise<string[]> {
  try {
    const names = (await readdir(directory)).filter((name) => !NOT_LOADED.test(name));
    return names.sort().slice(0, MAX_FILES);
  } catch (error) {
    const code = errorCode(error);
    if (code !== "ENOENT" && code !== "ENOTDIR")
      reading.unread.push(`${directory}: ${code === "EACCES" ? "permission denied" : errorText(error)}`);
    return [];
  }
}

/**
 * Replaces a crontab's text in one step, keeping its owner, group and mode.
 *
 * @param change what it becomes, from what it is at this moment; null to leave it
 * @returns whether it was changed
 * @throws Failure `cannot_write`
 */
export async function changeCrontab(path: string, change: (text: string) => string | null): Promise<boolean> {
  try {
    const { mode, uid, gid } = await lstat(path);
    const changed = change(await readCrontab(path));
    if (changed === null) return false;
    const file = await AtomicFile.create(path, { mode: mode & 0o7777, userId: uid, groupId: gid });
    await file.commit(Buffer.from(changed, "latin1"));
    keepLabel(path);
    return true;
  } catch (error) {
    throw new Failure({
      kind: "cannot_write",
      message: `the crontab ${path} was not changed and is as it was: ${errorCode(error) ?? errorText(error)}`,
      nextStep: "Change the line by hand (crontab -e, or an editor), or run idc-helper adopt --keep-cron.",
    });
  }
}

/** One character a byte: comments may be in any encoding, and are kept. @throws the system error */
export async function readCrontab(path: string): Promise<string> {
  return (await readBytes(path, { maxBytes: MAX_BYTES })).toString("latin1");
}

/** A file made anew in /etc gets the label of /etc, and cronie then ignores the whole crontab under SELinux. */
function keepLabel(path: string): void {
  if (!existsSync(SELINUX)) return;
  spawnSync("restorecon", ["--", path], { stdio: "ignore", timeout: 10_000, env: toolEnvironment() });
}
