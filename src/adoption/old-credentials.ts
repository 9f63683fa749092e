/**
 * The old credentials file, before the agent goes back to it: nobody has refreshed it since the adoption, and the cron
 * job that is in force again may run only in half an hour. So a session that we have just issued is put into it; the
 * cron job overwrites it in its own time.
 *
 * Only the agent's profile is replaced, and never a lasting key: that would be what the cron job starts from.
 */
import { constants, readlinkSync } from "node:fs";
import { lstat, open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { findKey } from "../aws/base-credentials.ts";
import { isLongLived } from "../aws/operator.ts";
import type { Config } from "../config/config.ts";
import { renderProfile } from "../credentials/profile-file.ts";
import { isPlainValue, type SessionCredentials } from "../credentials/session.ts";
import { errorCode, errorText, Failure } from "../failure.ts";
import { AtomicFile } from "../host/atomic-file.ts";
import { withRightsOf } from "../host/privileges.ts";
import { readBytes } from "../host/read-file.ts";
import { withoutOwnKeys } from "../host/tool-environment.ts";
import { startRefresh } from "../refresher/refresh-child.ts";
import type { StepOutcome } from "../report/progress.ts";

const MAX_BYTES = 1_024 * 1_024;

/** Whether somebody has written it since a moment: the cron job, or an earlier run of the same undo. */
export async function wasWrittenSince(path: string, since: string | null): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  return found !== null && since !== null && found.mtimeMs >= Date.parse(since);
}

/** @throws Failure where there are no fresh credentials to be had: nothing that the agent reads was changed */
export async function freshenOldFile(
  path: string,
  config: Config,
  factor: number,
  env: NodeJS.ProcessEnv,
): Promise<StepOutcome> {
  const refreshed = await startRefresh(config, factor, withoutOwnKeys(env)).outcome;
  if (refreshed.result === "failed") {
    throw new Failure({
      kind: refreshed.kind,
      message: `${path} is stale, and no fresh credentials could be got to put into it: ${refreshed.message}`,
      nextStep: `The crontab entry is in force again: once it has rewritten ${path}, run idc-helper adopt --undo again. ${refreshed.nextStep}`,
    });
  }
  const { profile } = config.credentialsFile;
  try {
    const issued = await issuedCredentials(config);
    const isWritten = await inDirectoryOf(path, async (pinned) => {
      const before = (await read(pinned)) ?? "";
      if (holdsLastingKey(before, profile, path)) return false;
      await replace(pinned, Buffer.from(renderProfile(before, profile, issued), "latin1"));
      return true;
    });
    if (isWritten)
      return { state: "done", detail: `a session until ${refreshed.expiresAt} was put into ${path}` };
    const note = `It is left alone: its profile ${profile} holds a lasting key.`;
    return { state: "note", detail: `${path} was not refreshed`, notes: [note] };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure({
      kind: "cannot_write",
      message: `${path} was not refreshed and is as it was: ${errorCode(error) ?? errorText(error)}`,
      nextStep: `Run what the crontab entry runs by hand, then idc-helper adopt --undo again.`,
    });
  }
}

function holdsLastingKey(text: string, profile: string, file: string): boolean {
  try {
    const key = findKey(text, profile, file);
    return key !== null && isLongLived(key);
  } catch {
    return false;
  }
}

async function read(path: string): Promise<string | null> {
  try {
    return (await readBytes(path, { maxBytes: MAX_BYTES })).toString("latin1");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  }
}

/** What our own file holds: the service's user could have put anything there. */
async function issuedCredentials({
  credentialsFile: { path, profile, group },
}: Config): Promise<SessionCredentials> {
  const text = await withRightsOf(dirname(path), group, () => read(path));
  const key = findKey(text ?? "", profile, path);
  const { accessKeyId = "", secretAccessKey = "", sessionToken = "" } = key ?? {};
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  if (Object.values(credentials).every(isPlainValue)) return credentials;
  throw new Error(`${path} holds no session in its profile ${profile}`);
}

/**
 * Its directory may be a user's: it is held open, so that no link on the way there, put in place at any time, leads root
 * elsewhere.
 *
 * @param work gets the file's path in the directory that is held
 */
async function inDirectoryOf<T>(path: string, work: (pinned: string) => Promise<T>): Promise<T> {
  const directory = dirname(path);
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const held = `/proc/self/fd/${handle.fd}`;
    if (readlinkSync(held) !== directory) throw new Error(`${directory} is reached through a symbolic link`);
    return await work(join(held, basename(path)));
  } finally {
    await handle.close();
  }
}

/** Keeps owner and mode, but for what would make a program of it. */
async function replace(path: string, content: Buffer): Promise<void> {
  const found = await lstat(path).catch(() => null);
  const file = await AtomicFile.create(path, {
    mode: found === null ? 0o600 : found.mode & 0o777,
    ...(found === null ? {} : { userId: found.uid, groupId: found.gid }),
  });
  await file.commit(content);
}
