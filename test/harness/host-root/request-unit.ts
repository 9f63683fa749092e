/** `idc-codedeploy-helper-agent.path` of a scratch host, and the oneshot that it starts. */
import { join } from "node:path";
import { COMMAND } from "../launch.ts";
import { type PathUnit, startPathUnit } from "../path-unit.ts";
import type { HostInside } from "./inside.ts";
import type { ActiveState, JobResult, Unit } from "./unit.ts";

const REQUEST = "run/idc-codedeploy-helper-agent/requests/sync";

export class RequestUnit implements Unit {
  readonly name = "idc-codedeploy-helper-agent.path";
  readonly wants: readonly string[] = [];
  readonly result = "success";
  readonly mainPid = 0;
  readonly exitStatus = 0;
  readonly invocationId = "";
  readonly #inside: HostInside;
  #watch: PathUnit | null = null;
  #earlierLog = "";

  constructor(inside: HostInside) {
    this.#inside = inside;
  }

  get activeState(): ActiveState {
    return this.#watch === null ? "inactive" : "active";
  }

  get log(): string {
    return this.#earlierLog + (this.#watch?.log() ?? "");
  }

  isInstalled(): boolean {
    return true;
  }

  execReload(): null {
    return null;
  }

  dropIns(): readonly string[] {
    return [];
  }

  async start(): Promise<JobResult> {
    const { directory, enter, serviceEnv } = this.#inside;
    const [command = COMMAND, ...args] = [...enter("root"), COMMAND, "sync-agent"];
    this.#watch ??= startPathUnit({
      requestFile: join(directory, REQUEST),
      command,
      args,
      env: serviceEnv(),
    });
    return null;
  }

  async stop(): Promise<void> {
    const watch = this.#watch;
    this.#watch = null;
    await watch?.stop();
    this.#earlierLog += watch?.log() ?? "";
  }

  async reload(): Promise<JobResult> {
    return `Job type reload is not applicable for unit ${this.name}.`;
  }

  resetFailed(): void {}

  kill(): Promise<void> {
    return this.stop();
  }
}
