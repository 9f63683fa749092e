/**
 * What idc-codedeploy-helper-agent.path does, where there is no systemd: while the request file is there, the
 * oneshot is started, one at a time (systemd.path(5), `PathExists=`).
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";

export interface PathUnit {
  /** How often the oneshot was started. */
  starts(): number;
  log(): string;
  stop(): Promise<void>;
}

export interface PathUnitOptions {
  requestFile: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
}

const EVERY_MS = 20;

export function startPathUnit({ requestFile, command, args, env }: PathUnitOptions): PathUnit {
  let starts = 0;
  let log = "";
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  let isRunning = false;

  const look = () => {
    if (isStopped || isRunning || !existsSync(requestFile)) return;
    isRunning = true;
    starts += 1;
    running = new Promise((resolve) => {
      const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text) => {
          log += text;
        });
      }
      child.once("close", () => {
        isRunning = false;
        resolve();
      });
    });
  };
  const timer = setInterval(look, EVERY_MS);
  return {
    starts: () => starts,
    log: () => log,
    stop: async () => {
      isStopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
