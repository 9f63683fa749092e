/** A point: one system call of one command, and what happens there instead of it. */
import { existsSync, rmSync } from "node:fs";
import type { Launched } from "../../harness/launch.ts";
import { errnosOf, errnosToldApart } from "./errnos.ts";
import { type Ended, runWatched } from "./gated-command.ts";
import { type Call, fileOf, filesIn, lineOf, namedFor, ourCalls, readTrace, TRACED } from "./trace.ts";

/** SIGKILL falls before the call is carried out; an error comes instead of the call. */
export type Fault = "SIGKILL" | (string & {});

export interface Point {
  call: Call;
  /** What it is known again by: the how-many-th of its thread that {@link lineOf} says the same of. */
  line: string;
  ordinal: number;
  /** The file or standard stream that it works on, and the how-many-th of its kind there; null where it has no name. */
  place: { file: string; ordinal: number } | null;
  fault: Fault;
}

export interface Tried extends Ended {
  /** False when the run never came to this call, or the fault met another one. */
  wasReached: boolean;
  /** What the fault met. */
  met: string | null;
  /** Where the call stood in this run, if it came to it. */
  nth: number | null;
}

export function describePoint({ call, fault }: Point): string {
  return `${fault} at ${call.thread} ${call.syscall}#${call.nth}: ${call.text.slice(0, 140)}`;
}

/** One undisturbed run. */
export interface Run {
  /** Every call of its two threads, and those of them that are ours. */
  all: Call[];
  ours: Call[];
  directory: string;
}

/** @throws Error when the command fails though nothing is done to it */
export async function record(launched: Launched, directory: string, log: string): Promise<Run> {
  const threads = ["main", "pool"] as const;
  const watches = threads.map((thread) => ({ thread, options: ["-e", TRACED], log: `${log}.${thread}` }));
  const { code, stdout, stderr } = await runWatched(launched, watches);
  if (code !== 0) throw new Error(`it fails when nothing is done to it:\n${stdout}${stderr}`);
  const all = watches.flatMap(({ thread, log }) => readTrace(log, thread));
  return { all, ours: ourCalls(all, directory), directory };
}

/** @param chosen some of `calls`, which are all of the run */
export const killPoints = (chosen: readonly Call[], run: Run): Point[] =>
  chosen.map((call) => ({ call, fault: "SIGKILL", ...identityOf(call, run) }));

export const errorPoints = (chosen: readonly Call[], run: Run): Point[] =>
  chosen.flatMap((call) => errnosOf(call).map((fault) => ({ call, fault, ...identityOf(call, run) })));

/**
 * Of each call every error that the program tells apart, and one of the others, which take turns; where a disk is
 * written it is ENOSPC.
 */
export function errorKindPoints(chosen: readonly Call[], run: Run): Point[] {
  const isToldApart = errnosToldApart();
  return chosen.flatMap((call, n) => {
    const errnos = errnosOf(call);
    const told = errnos.filter((errno) => isToldApart.has(errno));
    const others = errnos.filter((errno) => !isToldApart.has(errno));
    const one = others.includes("ENOSPC") && isChange(call) ? "ENOSPC" : others[n % others.length];
    const faults = one === undefined ? told : [one, ...told];
    return faults.map((fault) => ({ call, fault, ...identityOf(call, run) }));
  });
}

function identityOf(call: Call, { all, directory }: Run): Pick<Point, "line" | "ordinal" | "place"> {
  const line = lineOf(call.text, directory);
  const upToIt = all.filter(
    ({ thread, syscall, nth }) => thread === call.thread && syscall === call.syscall && nth <= call.nth,
  );
  const ordinal = upToIt.filter(({ text }) => lineOf(text, directory) === line).length;
  const file = fileOf(call.text);
  if (file === null) return { line, ordinal, place: null };
  const there = upToIt.filter(({ text }) => filesIn(text).includes(file));
  return { line, ordinal, place: { file, ordinal: there.length } };
}

/**
 * @param nth where the call is expected among those of its thread: in some runs it comes a little earlier or later than
 *   in the recorded one. Null to wait for it at its file, where it always comes in the same order.
 */
export async function tryPoint(
  launched: Launched,
  { call: { syscall, thread }, fault, line, ordinal, place }: Point,
  { log, directory, nth }: { log: string; directory: string; nth: number | null },
): Promise<Tried> {
  const what = fault === "SIGKILL" ? "signal=SIGKILL" : `error=${fault}`;
  const [at, when] =
    nth === null && place !== null
      ? [["-P", namedFor(place.file, launched.pid)], place.ordinal]
      : [[], nth ?? 1];
  const options = [...at, "-e", `trace=${syscall}`, "-e", `inject=${syscall}:${what}:when=${when}`];
  rmSync(log, { force: true });
  const ended = await runWatched(launched, [{ thread, options, log }]);
  const calls = existsSync(log) ? readTrace(log, thread) : [];
  const wasKilled = ended.signal === "SIGKILL";
  const hit =
    fault === "SIGKILL"
      ? calls.findLast(() => wasKilled)
      : calls.find(({ text }) => text.includes("(INJECTED)"));
  const met = hit === undefined ? null : lineOf(hit.text, directory);
  const same = at.length > 0 ? [] : calls.filter(({ text }) => lineOf(text, directory) === line);
  return { ...ended, wasReached: met === line, met, nth: same[ordinal - 1]?.nth ?? null };
}

/**
 * Calls that leave nothing behind outside the process, whatever they return. That a descriptor is closed, a socket
 * shut down or a lock given up, others see at a kill as well.
 */
const LOOKS =
  /^(access|faccessat2|newfstatat|statx|stat|fstat|lstat|readlink|getcwd|getdents64|read|readv|pread64|lseek|close|dup|dup3|fcntl|ioctl|socket|socketpair|pipe2|bind|getsockname|getpeername|getsockopt|setsockopt|shutdown|recvfrom|recvmsg|wait4)$/;

/**
 * Whether the world outside the process may be another after this call: every call that is not known to leave nothing
 * behind. Killed before a call that only looks, the command leaves what it leaves when it is killed before the next one
 * that changes something.
 */
export function isChange({ syscall, text }: Call): boolean {
  if (/ = -1 E(?!INPROGRESS)/.test(text)) return false;
  if (syscall === "openat") return /O_(CREAT|TRUNC)/.test(text);
  return !LOOKS.test(syscall);
}

/** A change that a disk can refuse. */
export function isFileChange(call: Call): boolean {
  return (
    isChange(call) &&
    (/^(openat|mkdir|link|symlink|rename|unlink)$/.test(call.syscall) || /^\w+\(\d+<\//.test(call.text))
  );
}

/** Known again in another run, and by another process: which call of the command, and what happens there. */
export const keyOf = ({ call, line, ordinal, fault }: Point): string =>
  [fault, call.thread, line, ordinal].join(" ");
