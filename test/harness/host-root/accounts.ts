/** The users of a scratch host. In a user namespace there is only root: there they are all its other names. */
import { isRoot } from "../identity.ts";

export interface Account {
  name: string;
  userId: number;
  groupId: number;
  home: string;
}

const account = (name: string, id: number, home: string): Account => {
  const ownId = isRoot ? id : 0;
  return { name, userId: ownId, groupId: ownId, home };
};

export const ACCOUNTS = {
  root: account("root", 0, "/root"),
  "idc-helper": account("idc-helper", 64_123, "/var/lib/idc-codedeploy-helper"),
  codedeploy: account("codedeploy", 64_124, "/opt/codedeploy-agent"),
  deploy: account("deploy", 1_000, "/home/deploy"),
} as const;

export type AccountName = keyof typeof ACCOUNTS;

export function passwdFile(): string {
  const own = Object.values(ACCOUNTS).map(({ name, userId, groupId, home }) => {
    return `${name}:x:${userId}:${groupId}:${name}:${home}:/bin/sh`;
  });
  const [root = "", ...others] = own;
  return `${[
    root,
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin",
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
    ...others,
  ].join("\n")}\n`;
}

export function groupFile(): string {
  const own = Object.values(ACCOUNTS).map(({ name, groupId }) => `${name}:x:${groupId}:`);
  const [root = "", ...others] = own;
  return `${[root, "daemon:x:1:", "crontab:x:102:", "nogroup:x:65534:", ...others].join("\n")}\n`;
}
