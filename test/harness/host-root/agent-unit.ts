/** `codedeploy-agent.service` of a scratch host: the stand-in agent at the original's own places. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readTrace, type TraceEvent, type TraceEventOf, type TraceKind } from "../../agent/trace.ts";
import { eventually } from "../eventually.ts";
import { launch } from "../launch.ts";
import { childrenOf } from "../processes.ts";
import { HARNESS_DIRECTORY, type HostInside } from "./inside.ts";
import { writeOwned } from "./layout.ts";
import { failedJob, type JobResult, type MainProcess, ProcessUnit } from "./unit.ts";

const ENTRY = fileURLToPath(new URL("../../agent/codedeploy-agent.ts", import.meta.url));
const RELOAD = fileURLToPath(new URL("../../../systemd/reload-agent", import.meta.url));
const TRACE = `${HARNESS_DIRECTORY}/agent-trace.jsonl`;
const SETTINGS = "/etc/codedeploy-agent/conf/codedeployagent.yml";
const PROGRAM = "/opt/codedeploy-agent/bin/codedeploy-agent";
const DROP_IN = "/usr/lib/systemd/system/codedeploy-agent.service.d/50-idc-codedeploy-helper.conf";

/** As the agent's package ships it. */
const SHIPPED_SETTINGS = `---
:log_aws_wire: false
:log_dir: '/var/log/aws/codedeploy-agent/'
:pid_dir: '/opt/codedeploy-agent/state/.pid/'
:program_name: codedeploy-agent
:root_dir: '/opt/codedeploy-agent/deployment-root'
:verbose: false
:wait_between_runs: 1
:proxy_uri:
:max_revisions: 5
`;

export class AgentUnit extends ProcessUnit {
  readonly name = "codedeploy-agent.service";
  /** Whether our drop-in is in force. */
  hasDropIn = true;
  /** Added to the unit's environment at its next start. */
  env: Record<string, string> = {};
  readonly #inside: HostInside;

  constructor(inside: HostInside) {
    super();
    this.#inside = inside;
  }

  /** Lays down what the agent's package does; the unit is there from then on. */
  install(): void {
    this.#write(SETTINGS, SHIPPED_SETTINGS);
    this.#write("/opt/codedeploy-agent/.version", "agent_version: OFFICIAL_1.8.1-1_rpm\n");
    this.#write(PROGRAM, "#!/bin/sh\necho 'started by systemctl only' >&2\nexit 1\n", 0o755);
    mkdirSync(join(this.#inside.directory, "opt/codedeploy-agent/deployment-root"), { recursive: true });
    mkdirSync(join(this.#inside.directory, "var/log/aws/codedeploy-agent"), { recursive: true });
  }

  /** Takes the agent off the host, as its package's removal does; settings and log included. */
  uninstall(): void {
    for (const path of ["etc/codedeploy-agent", "opt/codedeploy-agent", "var/log/aws"]) {
      rmSync(join(this.#inside.directory, path), { recursive: true, force: true });
    }
  }

  isInstalled(): boolean {
    return existsSync(join(this.#inside.directory, PROGRAM));
  }

  /** The worker at this moment; undefined while the master waits to replace one. */
  workerPid(): number | undefined {
    return this.mainPid === 0 ? undefined : childrenOf(this.mainPid).at(-1);
  }

  /** Everything that has happened inside it, in all its lives. */
  trace(): TraceEvent[] {
    return readTrace(join(this.#inside.directory, TRACE));
  }

  /** @param after skips so many events of the trace: what came before counts no more */
  async waitForTrace<Kind extends TraceKind>(kind: Kind, after = 0): Promise<TraceEventOf<Kind>> {
    const isSuch = (event: TraceEvent): event is TraceEventOf<Kind> => event.kind === kind;
    return eventually(
      () => this.trace().slice(after).find(isSuch),
      () => `no "${kind}" in the agent's trace:\n${JSON.stringify(this.trace().slice(-10), null, 1)}`,
    );
  }

  execReload(): string | null {
    return this.hasDropIn ? "/usr/libexec/idc-codedeploy-helper/reload-agent" : null;
  }

  override dropIns(): readonly string[] {
    return this.hasDropIn ? [DROP_IN] : [];
  }

  async reload(): Promise<JobResult> {
    const { enter, serviceEnv } = this.#inside;
    const env = { ...serviceEnv(), MAINPID: String(this.mainPid) };
    const { code } = await launch({ program: RELOAD, args: [], prefix: enter("root"), env }).result;
    return code === 0 ? null : failedJob(this.name, "exit-code");
  }

  protected launchMain(): MainProcess {
    const { agentEndpoint, agentTimeFactor, enter, serviceEnv } = this.#inside;
    const before = this.trace().length;
    const launched = launch({
      program: process.execPath,
      args: [ENTRY, "start", "--settings", SETTINGS, "--endpoint", agentEndpoint],
      prefix: enter("root"),
      env: {
        ...serviceEnv(),
        IDC_AGENT_TIME_FACTOR: String(agentTimeFactor),
        IDC_AGENT_TRACE: TRACE,
        ...this.env,
      },
    });
    const isReady = () =>
      this.trace()
        .slice(before)
        .some(({ kind }) => kind === "worker_spawned");
    return { launched, isReady };
  }

  #write(path: string, text: string, mode = 0o644): void {
    writeOwned(join(this.#inside.directory, path), text, { mode });
  }
}
