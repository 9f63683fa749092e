/**
 * Starts one of our own commands as a short-lived child, with a hard time limit: a hang, a crash or a leak ends
 * with it.
 */
import { spawn } from "node:child_process";

export interface ChildResult {
  /** Null when a signal ended it. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** Standard output, cut at a bound. */
  output: string;
  /** The last of standard error. */
  errors: string;
  wasTooSlow: boolean;
}

export interface Child {
  result: Promise<ChildResult>;
  /** Ends it and all that it started, at once. What it does is atomic, so nothing is left half-done. */
  kill(): void;
}

export interface ChildOptions {
  args: readonly string[];
  input: string;
  limitMs: number;
  env: NodeJS.ProcessEnv;
}

const MAX_OUTPUT = 256 * 1_024;
const GIVE_UP_MS = 5_000;
const MAX_ERRORS = 4 * 1_024;

export function startChild({ args, input, limitMs, env }: ChildOptions): Child {
  const program = process.argv[1];
  if (program === undefined) throw new Error("this program does not know its own file");
  // Without our own flags (process.execArgv): they are for a process that lasts. In a process group of its own: the limit
  // also ends what the child has started (credential_process, flock).
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
    env,
  });
  const kill = () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      child.kill("SIGKILL");
    }
  };
  let wasTooSlow = false;
  let giveUp: () => void = () => undefined;
  const timer = setTimeout(() => {
    wasTooSlow = true;
    kill();
    // Something that inherited its output and left its process group would keep it "running" for ever.
    setTimeout(giveUp, GIVE_UP_MS).unref();
  }, limitMs);
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(0, MAX_OUTPUT);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-MAX_ERRORS);
  });
  // What it says cannot be read (no memory left): it is ended and counts as failed, and we go on.
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("error", (error) => {
      errors = error.message;
      kill();
    });
  }
  // A child that dies before it has read its input is reported by its exit status.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const result = new Promise<ChildResult>((resolve) => {
    const finish = (exitCode: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(timer);
      resolve({ exitCode, signal, output, errors, wasTooSlow });
    };
    giveUp = () => finish(null, "SIGKILL");
    child.once("error", (error) => {
      errors = error.message;
      finish(null, null);
    });
    child.once("close", finish);
  });
  return { result, kill };
}
