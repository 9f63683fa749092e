/** Users and groups, as the host's name service knows them (files, LDAP, SSSD), through getent(1). */
import { spawnSync } from "node:child_process";
import { toolEnvironment } from "./tool-environment.ts";

export interface User {
  name: string;
  userId: number;
  groupId: number;
  /** Home directory; empty where none is set. */
  home: string;
}

/** @param key a name or a number */
export function findUser(key: string): User | null {
  const [name, , userId, groupId, , home = ""] = lookUp("passwd", key) ?? [];
  return name === undefined ? null : { name, userId: Number(userId), groupId: Number(groupId), home };
}

/** @returns the group's id, or null when there is no such group */
export function findGroup(name: string): number | null {
  const [, , groupId] = lookUp("group", name) ?? [];
  return groupId === undefined ? null : Number(groupId);
}

/** @returns the group's name, or null when there is no such group */
export function findGroupName(groupId: number): string | null {
  return lookUp("group", String(groupId))?.[0] ?? null;
}

function lookUp(database: "passwd" | "group", key: string): string[] | null {
  const { status, stdout } = spawnSync("getent", ["--", database, key], {
    encoding: "utf8",
    timeout: 10_000,
    env: toolEnvironment(),
  });
  return status === 0 ? stdout.trim().split(":") : null;
}
