/**
 * What else lives in the agent's control group. `systemctl restart` kills all of it, deployed applications
 * included (FACTS, upstream issue 169), so a restart is only thought of when this answers "nothing".
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The unified hierarchy, and where systemd keeps its own on a version 1 host (RHEL 8). */
const ROOTS = ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"];

/** @returns every pid in the group and below it, or null when that cannot be known */
export function processesIn(controlGroup: string, roots: readonly string[] = ROOTS): number[] | null {
  for (const root of roots) {
    const pids = collect(join(root, controlGroup));
    if (pids !== null) return pids;
  }
  return null;
}

function collect(directory: string): number[] | null {
  try {
    const own = readFileSync(join(directory, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
    const below = readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => collect(join(directory, entry.name)));
    if (below.includes(null)) return null;
    return [...own, ...below.flatMap((pids) => pids ?? [])];
  } catch {
    return null;
  }
}
