/** A point: one system call of one command, and what happens there instead of it. */
import { existsSync, rmSync } from "node:fs";
import type { Launched } from "../../harness/launch.ts";
import { errnosOf } from "./errnos.ts";
import { type Ended, runWatched } from "./gated-command.ts";
import { type Call, lineOf, ourCalls, readTrace, TRACED } from "./trace.ts";

/** SIGKILL falls before the call is carried out; an error comes instead of the call. */
export type Fault = "SIGKILL" | (string & {});

export interface Point {
  call: Call;
  /** What it is known again by, as {@link lineOf} has it. */
  line: string;
  fault: Fault;
}

export interface Tried extends Ended {
  /** False when the run never came to this call, or the fault met another one. */
  wasReached: boolean;
  /** What the fault met. */
  met: string | null;
}

export function describePoint({ call, fault }: Point): string {
  return `${fault} at ${call.thread} ${call.syscall}#${call.nth}: ${call.text.slice(0, 140)}`;
}

export async function record(launched: Launched, directory: string, log: string): Promise<[Ended, Call[]]> {
  const threads = ["main", "pool"] as const;
  const watches = threads.map((thread) => ({ thread, options: ["-e", TRACED], log: `${log}.${thread}` }));
  const ended = await runWatched(launched, watches);
  const calls = watches.flatMap(({ thread, log }) => readTrace(log, thread));
  return [ended, ourCalls(calls, directory)];
}

export const killPoints = (calls: readonly Call[], directory: string): Point[] =>
  calls.map((call) => ({ call, fault: "SIGKILL", line: lineOf(call.text, directory) }));

export const errorPoints = (calls: readonly Call[], directory: string): Point[] =>
  calls.flatMap((call) => {
    const line = lineOf(call.text, directory);
    return errnosOf(call).map((fault) => ({ call, fault, line }));
  });

/**
 * @param shift to be added to the count: in some runs a call comes a little earlier or later than in the recorded one
 */
export async function tryPoint(
  launched: Launched,
  { call, fault, line }: Point,
  { log, directory, shift }: { log: string; directory: string; shift: number },
): Promise<Tried> {
  const { syscall, thread } = call;
  const nth = Math.max(1, call.nth + shift);
  const what = fault === "SIGKILL" ? "signal=SIGKILL" : `error=${fault}`;
  const options = ["-e", `trace=${syscall}`, "-e", `inject=${syscall}:${what}:when=${nth}`];
  rmSync(log, { force: true });
  const ended = await runWatched(launched, [{ thread, options, log }]);
  const calls = existsSync(log) ? readTrace(log, thread) : [];
  const wasKilled = ended.signal === "SIGKILL";
  const hit =
    fault === "SIGKILL"
      ? calls.findLast(() => wasKilled)
      : calls.find(({ text }) => text.includes("(INJECTED)"));
  const met = hit === undefined ? null : lineOf(hit.text, directory);
  return { ...ended, wasReached: met === line, met };
}

const CHANGES =
  /^(rename|unlink|mkdir|rmdir|link|symlink|fchmod|fchown|write|pwrite64|writev|fsync|ftruncate|clone|clone3|connect|sendto|sendmsg|kill|exit_group)$/;

/**
 * Whether the world outside the process is another after this call. Killed before a call that only looks, it leaves
 * what it leaves when it is killed before the next one that changes something.
 */
export function isChange({ syscall, text }: Call): boolean {
  if (/ = -1 E(?!INPROGRESS)/.test(text)) return false;
  if (syscall === "openat") return /O_(CREAT|TRUNC)/.test(text);
  return CHANGES.test(syscall);
}

/** A change that a disk can refuse. */
export function isFileChange(call: Call): boolean {
  return (
    isChange(call) &&
    (/^(openat|mkdir|link|symlink|rename|unlink)$/.test(call.syscall) || /^\w+\(\d+<\//.test(call.text))
  );
}
