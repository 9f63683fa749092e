/**
 * The agent's two processes as /proc shows them: the master, and the one worker that it replaces when it ends.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from "node:fs";

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

/** Beyond this, two readings of one moment were not taken from one clock. */
const SAME_CLOCK_MS = 5_000;

/**
 * When it started, on CLOCK_BOOTTIME in milliseconds: what /proc/PID/stat says, unless our own clock is another
 * one (/proc/uptime of a container, as lxcfs shows it). Then the distance from our own start, which the same file
 * tells, counts; that is late by the time that Node takes to start.
 */
export function startedBootMs({ startTicks }: ProcessIdentity, nowBootMs: number): number {
  const self = statFields(process.pid);
  if (self === null) throw new Error("/proc is not mounted");
  const offset = nowBootMs - process.uptime() * 1_000 - self.startTicks * MS_PER_TICK;
  const correction = Math.abs(offset) < SAME_CLOCK_MS ? 0 : offset;
  return Math.round(startTicks * MS_PER_TICK + correction);
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
  return readBeginning(`/proc/${pid}/cmdline`, 4_096)?.replaceAll("\0", " ").trim() ?? null;
}

/** The master and nobody else: a unit's main process may be a wrapper, and its child the master. */
export function isMaster(pid: number, programName: string): boolean {
  return identify(pid) !== null && title(pid)?.startsWith(`${programName}: master`) === true;
}

/** @returns the pid in a pid file if that process is the agent's master, by its title; else null */
export function masterFromPidFile(pidFile: string, programName: string): number | null {
  const text = readBeginning(pidFile, 32)?.trim() ?? "";
  const pid = Number(text);
  return /^\d{1,10}$/.test(text) && isMaster(pid, programName) ? pid : null;
}

/** The agent's user, who may be anybody, can have put a link or a FIFO there, or have started a process with megabytes. */
function readBeginning(path: string, bytes: number): string | null {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!fstatSync(descriptor).isFile()) return null;
      const buffer = Buffer.alloc(bytes);
      return buffer.toString("utf8", 0, readSync(descriptor, buffer));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return null;
  }
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
