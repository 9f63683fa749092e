/** Whom tests run things as: `make test` must pass for root (CI) and for a developer who is not. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export interface Identity {
  userId: number;
  groupId: number;
}

export const isRoot = process.getuid?.() === 0;

/** `nobody`, which every host has. */
export const NOBODY: Identity = { userId: 65_534, groupId: 65_534 };

/** An unprivileged user: nobody where we are root, else ourselves. */
export const unprivileged: Identity = isRoot
  ? NOBODY
  : { userId: process.getuid?.() ?? -1, groupId: process.getgid?.() ?? -1 };

/**
 * Put before a command, it lets that command be root among its own: nothing where we are root, else a user
 * namespace in which our user id is root's.
 */
export const asRoot: readonly string[] = isRoot ? [] : ["unshare", "--map-root-user"];

/** The same with mounts of its own, which end with the command. */
export const withOwnMounts: readonly string[] = [
  "unshare",
  "--mount",
  ...(isRoot ? [] : ["--map-root-user"]),
];

/** The user ids that own what lies in a directory, itself included. */
export function ownersIn(directory: string): Set<number> {
  const owners = new Set([statSync(directory).uid]);
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (existsSync(path)) owners.add(statSync(path).uid);
  }
  return owners;
}
