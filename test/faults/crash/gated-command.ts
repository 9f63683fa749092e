/**
 * One of our commands, stopped at gate.cjs, with strace on one or both of the threads that make its system calls:
 * `main` runs the JavaScript, `pool` is the single thread (UV_THREADPOOL_SIZE=1) that does its file work.
 *
 * strace counts `when=K` for each thread by itself. On the whole process the earlier thread's K-th call would hide
 * the other's; on one thread every call of it can be reached.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Launched } from "../../harness/launch.ts";

const GATE = fileURLToPath(new URL("gate.cjs", import.meta.url));
/** Above every limit of the commands themselves. */
const LIMIT_MS = 600_000;
/** A second each. */
const STUCK_LOOKS = 10;

export type Thread = "main" | "pool";

export const GATE_ENV = { NODE_OPTIONS: `--require=${GATE}`, UV_THREADPOOL_SIZE: "1", TZ: "UTC" };

export interface Watch {
  thread: Thread;
  /** Beside what every watch has: which calls, what is injected. */
  options: readonly string[];
  log: string;
}

export interface Ended {
  /** Null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Lets a command that was started with {@link GATE_ENV} run on under strace, to its end. */
export async function runWatched(launched: Launched, watches: readonly Watch[]): Promise<Ended> {
  const { pid, process: child } = launched;
  await until(() => /^State:\tT/m.test(procFile(pid, "status")), `process ${pid} never came to the gate`);
  const threads = threadsOf(pid);
  const traces = watches.map(({ thread, options, log }) => {
    const target = String(threads[thread]);
    const strace = spawn("strace", ["-qqq", "-y", "-ttt", "-s", "120", ...options, "-o", log, "-p", target], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    return once(strace, "close");
  });
  for (const { thread } of watches) {
    await until(
      () => /^TracerPid:\t[1-9]/m.test(procFile(threads[thread], "status")),
      "strace did not attach",
    );
  }
  process.kill(pid, "SIGCONT");
  const late = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  const stuck = killWhenStuck(child, pid);
  const { code, stdout, stderr } = await launched.result;
  clearTimeout(late);
  clearInterval(stuck);
  await Promise.all(traces);
  return { code, signal: child.signalCode, stdout, stderr };
}

/**
 * Node's main thread never waits for a pipe, but for libuv's own, over which its signal handler hands a lock on: an error
 * that misses its call and meets that write has the process wait for ever.
 */
function killWhenStuck(child: ChildProcess, pid: number): NodeJS.Timeout {
  let looks = 0;
  return setInterval(() => {
    // The kernel function that the main thread sleeps in.
    looks = /pipe_read/.test(procFile(pid, "wchan")) ? looks + 1 : 0;
    if (looks >= STUCK_LOOKS) child.kill("SIGKILL");
  }, 1_000);
}

function threadsOf(pid: number): Record<Thread, number> {
  const pool = readdirSync(`/proc/${pid}/task`).find((thread) =>
    /^libuv-worker/.test(readFileSync(`/proc/${pid}/task/${thread}/comm`, "utf8")),
  );
  if (pool === undefined) throw new Error(`process ${pid} has no pool thread`);
  return { main: pid, pool: Number(pool) };
}

/** Empty when the process has gone. */
function procFile(pid: number, name: "status" | "wchan"): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

async function until(holds: () => boolean, complaint: string): Promise<void> {
  for (const deadline = performance.now() + LIMIT_MS; !holds(); await sleep(2)) {
    if (performance.now() > deadline) throw new Error(complaint);
  }
}
