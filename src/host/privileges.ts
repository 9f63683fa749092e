/**
 * Root gives up being root before it touches the service's files: what root would write, the service could not
 * replace afterwards, and what root follows, the service's user could bend.
 */
import { chownSync, mkdirSync, statSync } from "node:fs";
import { errorCode, errorText, Failure } from "../failure.ts";
import { findGroup, findUser, type User } from "./accounts.ts";

export const SERVICE_USER = "idc-helper";

/**
 * Becomes the owner of the state directory, for good. Where that is root itself (a scratch folder), or where we
 * are not root, nothing changes. Makes the directory where it is missing.
 *
 * @param readerGroup the group that the credentials file is handed to, which the new user must stay a member of
 * @throws Failure `cannot_write`
 */
export function becomeServiceUser(stateDir: string, readerGroup: string | null): void {
  const owner = ensureDirectory(stateDir);
  if (process.geteuid?.() !== 0 || owner === 0) return;
  const user = findUser(String(owner));
  if (user === null) throw cannot(`it belongs to user ${owner}, whom this host does not know`, stateDir);
  becomeUser(user, readerGroup);
}

/** Optional, or missing, in Node's types, because other systems lack them. */
interface PosixProcess {
  initgroups(user: string, extraGroup: number): void;
  getgroups(): number[];
  setgroups(groups: number[]): void;
  setgid(id: number): void;
  setuid(id: number): void;
  getegid(): number;
  setegid(id: number): void;
  seteuid(id: number): void;
}

/**
 * What root does among another user's files, it does with no more rights than that user's: whatever he links there, and
 * swaps at whatever moment, is then no more than his own. Nothing else may run meanwhile.
 *
 * @param directory its owner is that user; where it is root's, nothing changes
 * @param readerGroup as in {@link becomeServiceUser}
 * @throws what the work throws
 */
export async function withRightsOf<T>(
  directory: string,
  readerGroup: string | null,
  work: () => Promise<T>,
): Promise<T> {
  const { uid, gid } = statSync(directory);
  if (process.geteuid?.() !== 0 || uid === 0) return work();
  const posix: PosixProcess = process as NodeJS.Process & PosixProcess;
  const [groups, groupId] = [posix.getgroups(), posix.getegid()];
  const readers = readerGroup === null ? null : findGroup(readerGroup);
  posix.setgroups(readers === null ? [] : [readers]);
  posix.setegid(gid);
  posix.seteuid(uid);
  try {
    return await work();
  } finally {
    posix.seteuid(0);
    posix.setegid(groupId);
    posix.setgroups(groups);
  }
}

function becomeUser({ name, userId, groupId }: User, readerGroup: string | null): void {
  const posix: PosixProcess = process as NodeJS.Process & PosixProcess;
  posix.initgroups(name, groupId);
  const readers = readerGroup === null ? null : findGroup(readerGroup);
  if (readers !== null) posix.setgroups([...posix.getgroups(), readers]);
  posix.setgid(groupId);
  posix.setuid(userId);
}

/** @returns the user id that owns the directory */
function ensureDirectory(path: string): number {
  try {
    return statSync(path).uid;
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw cannot(errorText(error), path);
  }
  try {
    mkdirSync(path, { mode: 0o750, recursive: true });
    const user = process.geteuid?.() === 0 ? findUser(SERVICE_USER) : null;
    if (user !== null) chownSync(path, user.userId, user.groupId);
    return statSync(path).uid;
  } catch (error) {
    throw cannot(errorText(error), path);
  }
}

function cannot(why: string, path: string): Failure {
  return new Failure({
    kind: "cannot_write",
    message: `the state directory ${path} cannot be used: ${why}`,
    nextStep: `Make it, owned by ${SERVICE_USER}: install -d -o ${SERVICE_USER} -g ${SERVICE_USER} -m 0750 ${path}`,
  });
}
