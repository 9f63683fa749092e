/** Processes as /proc shows them. */
import { readFileSync } from "node:fs";

/** The direct children of a process. */
export function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

/** Everything below a process, itself left out. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

export function commandLineOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
}

export function environmentOf(pid: number): string {
  return read(`/proc/${pid}/environ`).replaceAll("\0", "\n");
}

/** False for a zombie, too. */
export function isRunning(pid: number): boolean {
  const state = /^State:\s+(\w)/m.exec(read(`/proc/${pid}/status`))?.[1];
  return state !== undefined && state !== "Z";
}

/** /proc tells CPU time in these (getconf CLK_TCK). */
const TICK_MS = 10;

/** What a process has used of the processors, and with it the children that it has waited for (proc(5), stat). */
export function cpuTimeMs(pid: number): { own: number; withChildren: number } {
  const text = read(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number);
  return {
    own: (user + system) * TICK_MS,
    withChildren: (user + system + childUser + childSystem) * TICK_MS,
  };
}

/** Empty when the process has gone. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
