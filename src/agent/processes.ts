/**
 * The agent's two processes as /proc shows them: the master, and the one worker that it replaces when it ends.
 */
import { readFileSync } from "node:fs";

/** A process by more than its number, which the kernel gives out again. */
export interface ProcessIdentity {
  pid: number;
  /** Since the boot, in clock ticks (field 22 of /proc/PID/stat). */
  startTicks: number;
}

/** USER_HZ: 100 on every Linux that we run on, whatever the kernel's own HZ. */
const MS_PER_TICK = 10;

/** @returns null when there is no such process, or it is a zombie, or it is hidden from us */
export function identify(pid: number): ProcessIdentity | null {
  const fields = statFields(pid);
  if (fields === null || fields.state === "Z" || fields.state === "X") return null;
  return { pid, startTicks: fields.startTicks };
}

export function isAlive({ pid, startTicks }: ProcessIdentity): boolean {
  return identify(pid)?.startTicks === startTicks;
}

/**
 * When it started, on CLOCK_BOOTTIME in milliseconds. Reckoned from our own start, which the same file tells:
 * /proc/uptime may be another clock's (a container's, as lxcfs shows it).
 */
export function startedBootMs({ startTicks }: ProcessIdentity, nowBootMs: number): number {
  const self = statFields(process.pid);
  if (self === null) throw new Error("/proc is not mounted");
  const selfStarted = nowBootMs - process.uptime() * 1_000;
  return Math.round(selfStarted + (startTicks - self.startTicks) * MS_PER_TICK);
}

/** @returns the direct children of a process, oldest first; null where they cannot be known */
export function children(pid: number): ProcessIdentity[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    const found = text.split(" ").flatMap((word) => (word.trim() === "" ? [] : [identify(Number(word))]));
    return found.filter((child) => child !== null).sort((a, b) => a.startTicks - b.startTicks);
  } catch {
    return null;
  }
}

/** The process title, as the agent sets it: `codedeploy-agent: master 812`. */
export function title(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return null;
  }
}

/** @returns the pid in a pid file if that process is the agent's master, by its title; else null */
export function masterFromPidFile(pidFile: string, programName: string): number | null {
  let text: string;
  try {
    text = readFileSync(pidFile, "utf8").trim();
  } catch {
    return null;
  }
  const pid = Number(text);
  if (!/^\d{1,10}$/.test(text) || identify(pid) === null) return null;
  return title(pid)?.startsWith(`${programName}: master`) ? pid : null;
}

function statFields(pid: number): { state: string; startTicks: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the command in parentheses and may hold anything, spaces and parentheses included.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [state = ""] = fields;
    const startTicks = Number(fields[19]);
    return Number.isFinite(startTicks) ? { state, startTicks } : null;
  } catch {
    return null;
  }
}
