/**
 * The master process of the stand-in agent: keeps one worker alive and does nothing else (`process_manager/master.rb`).
 *
 * A worker that ends, however it ends, is replaced 5 s later, for ever. SIGTERM to the master is passed on to the
 * worker, which the master then waits for.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Log, openLog } from "./agent-log.ts";
import { type AgentSettings, pidFile, readAgentSettings } from "./agent-settings.ts";
import { Pace } from "./pace.ts";
import { openTrace, type Trace } from "./trace.ts";
import { type WorkerOptions, workerTitle } from "./worker.ts";

const RESPAWN_AFTER_SECONDS = 5;
const WORKER_ENTRY = fileURLToPath(new URL("worker-process.ts", import.meta.url));

export type MasterOptions = Omit<WorkerOptions, "masterPid">;

export class Master {
  readonly #options: MasterOptions;
  readonly #settings: AgentSettings;
  readonly #pace: Pace;
  readonly #log: Log;
  readonly #trace: Trace;
  #worker: ChildProcess | undefined;
  #respawn: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: MasterOptions) {
    this.#options = options;
    this.#settings = readAgentSettings(options.settingsFile);
    this.#pace = new Pace(options.timeFactor);
    this.#log = openLog(this.#settings, `master ${process.pid}`);
    this.#trace = openTrace(options.traceFile);
  }

  start(): void {
    process.title = `${this.#settings.programName}: master ${process.pid}`;
    const path = pidFile(this.#settings);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${process.pid}\n`);
    this.#trace("master_started", { settingsFile: this.#options.settingsFile });
    for (const signal of ["SIGINT", "SIGQUIT", "SIGTERM"] as const) {
      process.on(signal, () => this.#stop(signal));
    }
    this.#spawnWorker();
    this.#log("info", "Started with 1 children");
  }

  #spawnWorker(): void {
    const options: WorkerOptions = { ...this.#options, masterPid: process.pid };
    // Linux shows as much of a new title as the arguments took; the last one makes sure that it is enough.
    const room = workerTitle(this.#settings.programName, process.pid);
    const worker = spawn(process.execPath, [WORKER_ENTRY, JSON.stringify(options), room], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    this.#worker = worker;
    this.#log("info", "Spawned child 1/1");
    this.#trace("worker_spawned", { workerPid: worker.pid ?? 0 });
    worker.once("exit", (exitCode, signal) => {
      this.#worker = undefined;
      this.#trace("worker_ended", { workerPid: worker.pid ?? 0, exitCode, signal });
      if (!this.#stopping) this.#replaceLater(worker);
    });
  }

  #replaceLater(dead: ChildProcess): void {
    this.#log("info", "Received CHLD - cleaning dead child process");
    this.#log("info", `been told to replace child ${dead.pid}`);
    this.#log("info", "not enough child processes running - missing at least 1 - respawning");
    this.#respawn = setTimeout(() => this.#spawnWorker(), this.#pace.durationMs(RESPAWN_AFTER_SECONDS));
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    clearTimeout(this.#respawn);
    this.#log("info", `Received ${signal} - stopping children and shutting down`);
    const worker = this.#worker;
    if (worker) {
      const limitMs = this.#pace.durationMs(this.#settings.killAgentMaxWaitSeconds);
      worker.kill(signal);
      // A worker that still runs after the longest wait is left to itself: it ends when it sees that we are gone.
      await once(worker, "exit", { signal: AbortSignal.timeout(limitMs) }).catch(() => {});
    }
    rmSync(pidFile(this.#settings), { force: true });
    this.#trace("master_stopped", {});
    process.exit(0);
  }
}
