/**
 * Whom the agent runs as. One that is not root cannot read our credentials file unless the config names its group; a
 * new worker without credentials dies at once (FACTS), so that must be known before the agent's config is switched.
 */
import { readFileSync } from "node:fs";
import type { AgentService } from "../agent/service.ts";
import type { Config } from "../config/config.ts";
import { Failure } from "../failure.ts";
import { findUser } from "../host/accounts.ts";

/** @throws Failure `host_not_ready` */
export function checkAgentMayRead({ worker, master }: AgentService, { credentialsFile }: Config): void {
  const pid = worker?.pid ?? master?.pid;
  const userId = pid === undefined ? null : userOf(pid);
  if (userId === null || userId === 0 || credentialsFile.group !== null) return;
  const user = findUser(String(userId))?.name ?? String(userId);
  throw new Failure({
    kind: "host_not_ready",
    message: `the CodeDeploy agent runs as the user ${user}, who could not read ${credentialsFile.path}: it would be left without credentials`,
    nextStep: `Write a config with credentials_file: { group: GROUP }, GROUP being one of ${user}'s, and give the service that group with a drop-in (Group=GROUP, SupplementaryGroups=idc-helper); then run idc-helper adopt again.`,
  });
}

/** The effective user. */
function userOf(pid: number): number | null {
  try {
    const [, id] = /^Uid:\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return id === undefined ? null : Number(id);
  } catch {
    return null;
  }
}
