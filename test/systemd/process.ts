/** Programs run to their end, with what they said. */
import { spawn } from "node:child_process";

export interface Ended {
  code: number | null;
  stdout: string;
  /** Both streams, as they came. */
  output: string;
}

export interface RunOptions {
  input?: string;
  /** Its whole environment; our own by default. */
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  /** The signal ends its children, too; else they outlive it. */
  withChildren?: boolean;
  /** A hang must not become the test's; generous, and decides nothing. */
  limitMs?: number;
}

const LIMIT_MS = 900_000;

export function runToEnd(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { input = "", env = process.env, signal, limitMs = LIMIT_MS, withChildren = false } = options;
  // Detached: Ctrl-C in a terminal is for the test alone, which then ends what it started.
  const child = spawn(program, args, {
    detached: true,
    env,
    stdio: ["pipe", "pipe", "pipe"],
    ...(signal === undefined ? {} : { signal, killSignal: "SIGKILL" as const }),
    timeout: limitMs,
  });
  const ended: Ended = { code: null, stdout: "", output: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    ended.stdout += text;
    ended.output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    ended.output += text;
  });
  if (withChildren) {
    // Detached, it leads a group of its own.
    const end = () => endGroup(child.pid);
    signal?.addEventListener("abort", end, { once: true });
    child.once("close", () => signal?.removeEventListener("abort", end));
  }
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, killed) => {
      const why =
        killed === null ? "" : `(${program} was ended by ${killed}; its limit is ${limitMs / 1_000} s)\n`;
      resolve({ ...ended, output: ended.output + why, code });
    });
  });
}

function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // It has just ended.
  }
}
