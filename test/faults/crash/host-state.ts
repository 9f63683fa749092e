/**
 * What a command left behind on a scratch host, as far as its next run could tell: two points that left the same need
 * that next run only once.
 */
import { readFileSync } from "node:fs";
import { AGENT, HELPER, REQUESTS } from "../../harness/host-root.ts";
import type { HostScene } from "../../harness/host-scene.ts";

/** What the service and the agent write at any time, whatever our command did: their names and modes count alone. */
const WRITTEN_AT_ANY_TIME = /^\/(var\/log|var\/lib\/idc-codedeploy-helper|run\/idc-codedeploy-helper)\//;
/** Process ids and monotonic times. */
const COUNTED = /^\/(run|opt\/codedeploy-agent)\//;

/** @returns null while something is still under way, which a second look could find elsewhere */
export function stateOf(scene: HostScene): string | null {
  const { host, emulator } = scene;
  const { services } = host;
  const units = [HELPER, REQUESTS, AGENT].map((name) => ({
    name,
    state: services.find(name)?.activeState,
    isEnabled: services.isEnabled(name),
  }));
  if (units.some(({ state }) => /ing$/.test(state ?? "")) || orphans(host.processes()).length > 0)
    return null;
  const files = [...host.snapshot()].map(([path, described]) => [unnamed(path), contentOf(path, described)]);
  const instances = emulator.instances
    .list()
    .map(({ name, deregisteredAt, tags, iamSessionArn, iamUserArn }) => {
      return { name, isRegistered: deregisteredAt === null, tags, iamSessionArn, iamUserArn };
    });
  return JSON.stringify({ units, agent: agentOf(scene), instances, files: files.toSorted() }, null, 1);
}

function contentOf(path: string, described: string): string {
  if (WRITTEN_AT_ANY_TIME.test(path)) return described.split("\n", 1).join();
  const text = unnamed(described).replace(/^(aws_\w+ =) .*$/gm, "$1 …");
  return COUNTED.test(path) ? text.replace(/\d+/g, "N") : text;
}

/** Without times and random names. */
function unnamed(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z|\d{8}T\d{9}Z/g, "TIME")
    .replace(/\.(tmp|taken|new)\.[\w.]+/g, ".$1")
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UUID");
}

/** With which config its worker works. */
function agentOf({ host }: HostScene): string {
  const pid = host.services.agent.workerPid();
  if (pid === undefined) return "no worker";
  const read = host.services.agent
    .trace()
    .findLast((event) => event.pid === pid && event.kind === "config_read");
  return read?.kind === "config_read" ? `${read.sessionArn} ${read.credentialsFile}` : "has read nothing yet";
}

/** What a command left running: neither we nor anything on the host is its parent. */
function orphans(processes: readonly number[]): number[] {
  return processes.filter((pid) => {
    const parent = parentOf(pid);
    return parent !== null && parent !== process.pid && !processes.includes(parent);
  });
}

/** Null for one that has gone, or that nobody has yet asked how it ended. */
function parentOf(pid: number): number | null {
  try {
    const [, state, parent] = /\) (\w) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return state === undefined || state === "Z" ? null : Number(parent);
  } catch {
    return null;
  }
}
