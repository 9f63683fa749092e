/**
 * A host in a scratch directory: our config, the agent's, the directories that systemd would make, and what
 * systemd does for us (keeping `run` alive is not among it: tests kill it on purpose).
 *
 * Everything started here is started from `dist/`, as packaged, and ended by its process id.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RefreshRecord } from "../../src/credentials/record.ts";
import type { Status } from "../../src/report/status.ts";
import { installAgent } from "../agent/launch.ts";
import { BASE_KEY, ROLE_ARN } from "../aws-emulator/emulator.ts";
import { eventually } from "./eventually.ts";
import { type PathUnit, startPathUnit } from "./path-unit.ts";

export const COMMAND = fileURLToPath(new URL("../../dist/idc-helper", import.meta.url));
export const SERIAL = "serial-ABCDEFG";
export const SESSION_ARN =
  "arn:aws:sts::123456789012:assumed-role/CodeDeployIDC-Instance-Profile/serial-ABCDEFG";

export interface ScratchHostOptions {
  /** Where STS is. */
  endpoint: string;
  timeFactor?: number;
  /** YAML added to the config file. */
  config?: string;
  serial?: string;
  env?: Record<string, string>;
  /** Where the scratch directory goes; the system's temporary directory by default. */
  parent?: string;
}

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
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

export class ScratchHost {
  readonly directory: string;
  readonly configFile: string;
  readonly credentialsFile: string;
  readonly baseFile: string;
  readonly stateDir: string;
  readonly runtimeDir: string;
  readonly agentRuntimeDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #running: (Run | PathUnit)[] = [];

  constructor(options: ScratchHostOptions) {
    const { endpoint, timeFactor = 1, serial = SERIAL, config = "", env = {}, parent = tmpdir() } = options;
    this.directory = mkdtempSync(join(parent, "idc-helper-"));
    this.configFile = join(this.directory, "config.yaml");
    this.baseFile = join(this.directory, "base-credentials");
    this.stateDir = join(this.directory, "state");
    this.runtimeDir = join(this.directory, "run");
    this.agentRuntimeDir = join(this.directory, "run-agent");
    this.credentialsFile = join(this.stateDir, "credentials");
    for (const path of [this.stateDir, this.runtimeDir, join(this.agentRuntimeDir, "requests")]) {
      mkdirSync(path, { recursive: true });
    }
    this.env = { ...ownEnvironment(), IDC_HELPER_TIME_FACTOR: String(timeFactor), ...env };
    this.writeBaseCredentials(BASE_KEY);
    const agent = installAgent({ directory: this.agentDirectory });
    this.writeConfig(`serial: ${serial}
region: ap-northeast-2
role_arn: ${ROLE_ARN}
base_credentials: { file: ${this.baseFile} }
agent: { settings_file: ${agent.settings}, service: idc-helper-test-agent.service }
endpoints: { sts: "${endpoint}" }
paths:
  state_dir: ${this.stateDir}
  runtime_dir: ${this.runtimeDir}
  agent_runtime_dir: ${this.agentRuntimeDir}
${config}`);
  }

  get agentDirectory(): string {
    return join(this.directory, "agent");
  }

  writeConfig(text: string): void {
    writeFileSync(this.configFile, text, { mode: 0o644 });
  }

  writeBaseCredentials({
    accessKeyId,
    secretAccessKey,
  }: {
    accessKeyId: string;
    secretAccessKey: string;
  }): void {
    const text = `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
    writeFileSync(this.baseFile, text, { mode: 0o600 });
  }

  /** Runs a command to its end. */
  async command(...args: string[]): Promise<CommandResult> {
    const child = spawn(COMMAND, [...args, "--config", this.configFile], {
      env: this.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    const [code] = await once(child, "close");
    return { code, stdout, stderr };
  }

  startRun(env: NodeJS.ProcessEnv = {}): Run {
    const child = spawn(COMMAND, ["run", "--config", this.configFile], {
      env: { ...this.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        log += text;
      });
    }
    const ended = once(child, "close");
    const lines = (event: string) =>
      log.split("\n").filter((line) => line.includes(` ${event} `) || line.endsWith(` ${event}`));
    const run: Run = {
      process: child,
      pid: child.pid ?? 0,
      log: () => log,
      lines,
      waitForLog: (event, count = 1) =>
        eventually(
          () => lines(event)[count - 1],
          () => `no "${event}" in the log:\n${log}`,
        ),
      stop: async () => {
        if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
        await ended;
        return child.exitCode ?? child.signalCode;
      },
      kill: async () => {
        if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
        await ended;
      },
    };
    this.#running.push(run);
    return run;
  }

  /** What the systemd path unit does: starts the root oneshot when a request lies there. */
  startPathUnit(): PathUnit {
    const unit = startPathUnit({
      requestFile: join(this.agentRuntimeDir, "requests", "sync"),
      command: COMMAND,
      args: ["sync-agent", "--config", this.configFile],
      env: this.env,
    });
    this.#running.push(unit);
    return unit;
  }

  status(): Status | null {
    return readJson(join(this.runtimeDir, "status.json"));
  }

  record(): RefreshRecord | null {
    return readJson(join(this.stateDir, "refresh.json"));
  }

  waitForStatus(fits: (status: Status) => boolean, what: string): Promise<Status> {
    return eventually(
      () => {
        const status = this.status();
        return status !== null && fits(status) ? status : undefined;
      },
      () => `status never showed ${what}; last: ${JSON.stringify(this.status(), null, 1)}`,
    );
  }

  async close(): Promise<void> {
    for (const running of this.#running.reverse()) await running.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A file being replaced is whole at every moment; one that is not there yet is null. */
function readJson<T>(path: string): T | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch {
    return null;
  }
}

/** Nothing of AWS, of a proxy or of a service may reach what a test starts from whoever started the test. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const foreign =
    /^(AWS_|IDC_|NOTIFY_SOCKET|WATCHDOG_|INVOCATION_ID|JOURNAL_STREAM|STATE_DIRECTORY|RUNTIME_DIRECTORY|https?_proxy|no_proxy)/i;
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return { ...Object.fromEntries(own), AWS_EC2_METADATA_DISABLED: "true" };
}
