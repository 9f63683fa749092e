/** Starts our packaged command, as root, as another user or behind a prefix, and keeps what it says. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";
import type { Identity } from "./identity.ts";

export const COMMAND = fileURLToPath(new URL("../../dist/idc-helper", import.meta.url));

export interface LaunchOptions {
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Whom to run it as; the tests' own user by default. */
  as?: Identity | undefined;
  /** Put before the command: `unshare` and such, which become the command. */
  prefix?: readonly string[] | undefined;
  /** Run instead of our command. */
  program?: string | undefined;
  /** What it reads from standard input; nothing by default. */
  input?: string | undefined;
}

export interface CommandResult {
  /** Null when a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Launched {
  process: ChildProcess;
  pid: number;
  result: Promise<CommandResult>;
  /** Both streams so far, as they came. */
  output(): string;
}

export interface Run {
  process: ChildProcess;
  pid: number;
  /** Everything it has logged so far. */
  log(): string;
  /** The lines logged with an event name. */
  lines(event: string): string[];
  waitForLog(event: string, count?: number): Promise<string>;
  /** SIGTERM, and wait. @returns the exit status, or the signal that ended it */
  stop(): Promise<number | NodeJS.Signals | null>;
  kill(): Promise<void>;
}

export function launch({
  args,
  env,
  as,
  prefix = [],
  program = COMMAND,
  input = "",
}: LaunchOptions): Launched {
  const [first = program, ...rest] = [...prefix, program, ...args];
  const child = spawn(first, rest, {
    env,
    stdio: ["pipe", "pipe", "pipe"],
    ...(as === undefined || as.userId === process.getuid?.() ? {} : { uid: as.userId, gid: as.groupId }),
  });
  // One that does not read what it is given closes its end early.
  child.stdin.on("error", () => undefined).end(input);
  const said = { stdout: "", stderr: "", both: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
      said.both += text;
    });
  }
  const result = once(child, "close").then(([code]) => {
    return { code: code as number | null, stdout: said.stdout, stderr: said.stderr };
  });
  return { process: child, pid: child.pid ?? 0, result, output: () => said.both };
}

/** A command that lasts: `run`. */
export function launchRun(options: LaunchOptions): Run {
  const { process: child, pid, result, output } = launch(options);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await result;
    return child.exitCode ?? child.signalCode;
  };
  const lines = (event: string) =>
    output()
      .split("\n")
      .filter((line) => line.includes(` ${event} `) || line.endsWith(` ${event}`));
  return {
    process: child,
    pid,
    log: output,
    lines,
    waitForLog: (event, count = 1) =>
      eventually(
        () => lines(event)[count - 1],
        () => `no "${event}" in the log:\n${output()}`,
      ),
    stop: () => end("SIGTERM"),
    kill: async () => void (await end("SIGKILL")),
  };
}
