/** A service of the scratch host with one main process, as systemd keeps it: its state, its result, its jobs. */
import { randomBytes } from "node:crypto";
import { eventually } from "../eventually.ts";
import type { Launched } from "../launch.ts";
import { exitOf, killNow } from "./ending.ts";

export type ActiveState = "active" | "inactive" | "failed" | "activating" | "deactivating" | "reloading";

/** Null when the job was done, else what `systemctl` says of its failure. */
export type JobResult = string | null;

export interface Unit {
  readonly name: string;
  /** Units that are started with it. */
  readonly wants: readonly string[];
  readonly activeState: ActiveState;
  readonly result: string;
  readonly mainPid: number;
  readonly exitStatus: number;
  readonly invocationId: string;
  /** What it has printed, in all its lives. */
  readonly log: string;
  /** Whether its files are on the host. */
  isInstalled(): boolean;
  /** The command of its ExecReload=, or null when it has none. */
  execReload(): string | null;
  dropIns(): readonly string[];
  start(): Promise<JobResult>;
  stop(): Promise<void>;
  reload(): Promise<JobResult>;
  resetFailed(): void;
  /** For the end of the test: at once, whatever it is doing. */
  kill(): Promise<void>;
}

export interface MainProcess {
  launched: Launched;
  /** Whether it is up, as its Type= tells. */
  isReady(): boolean;
}

const START_LIMIT_MS = 240_000;
const STOP_LIMIT_MS = 30_000;

export const failedJob = (name: string, result: string) =>
  `Job for ${name} failed because ${
    result === "exit-code"
      ? "the control process exited with error code"
      : "a fatal signal was delivered to the control process"
  }.\nSee "systemctl status ${name}" and "journalctl -xeu ${name}" for details.`;

export abstract class ProcessUnit implements Unit {
  abstract readonly name: string;
  readonly wants: readonly string[] = [];
  activeState: ActiveState = "inactive";
  result = "success";
  exitStatus = 0;
  invocationId = "";
  #main: Launched | null = null;
  /** The job under way; a second start is one with it. */
  #starting: Promise<JobResult> | null = null;
  readonly #lives: Launched[] = [];

  get mainPid(): number {
    return this.#main?.pid ?? 0;
  }

  get log(): string {
    return this.#lives.map((life) => life.output()).join("");
  }

  abstract isInstalled(): boolean;
  abstract execReload(): string | null;
  abstract reload(): Promise<JobResult>;
  /** Null when a condition of the unit does not hold: then it stays inactive, and the job is done. */
  protected abstract launchMain(): MainProcess | null;

  dropIns(): readonly string[] {
    return [];
  }

  start(): Promise<JobResult> {
    this.#starting ??= this.#start().finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  async #start(): Promise<JobResult> {
    if (this.#main !== null) return null;
    const main = this.launchMain();
    if (main === null) return null;
    const { launched } = main;
    this.#main = launched;
    this.#lives.push(launched);
    this.activeState = "activating";
    this.result = "success";
    this.invocationId = randomBytes(16).toString("hex");
    // Its exit, not its result: what it leaves behind keeps its output open.
    launched.process.once("exit", (code, signal) => this.#ended(code, signal));
    await eventually(
      () => this.#main !== launched || main.isReady(),
      () => `${this.name} did not become ready:\n${this.log}`,
      START_LIMIT_MS,
    );
    if (this.#main === launched) {
      this.activeState = "active";
      return null;
    }
    return this.result === "success" ? null : failedJob(this.name, this.result);
  }

  async stop(): Promise<void> {
    const main = this.#main;
    if (main === null) return;
    this.activeState = "deactivating";
    const ended = exitOf(main.process);
    main.process.kill("SIGTERM");
    const limit = setTimeout(() => main.process.kill("SIGKILL"), STOP_LIMIT_MS);
    await ended;
    clearTimeout(limit);
  }

  async kill(): Promise<void> {
    const main = this.#main;
    if (main !== null) await killNow(main.process);
  }

  resetFailed(): void {
    if (this.activeState !== "failed") return;
    this.activeState = "inactive";
    this.result = "success";
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    this.#main = null;
    this.exitStatus = code ?? 0;
    // SIGTERM is a clean end (systemd.service(5), SuccessExitStatus=).
    const isClean = code === 0 || signal === "SIGTERM";
    this.result = isClean ? "success" : signal === null ? "exit-code" : "signal";
    this.activeState = isClean ? "inactive" : "failed";
  }
}
