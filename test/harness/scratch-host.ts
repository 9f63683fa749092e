/**
 * A host in a scratch directory: our config, the agent's, the directories that systemd would make, and what
 * systemd does for us (keeping `run` alive is not among it: tests kill it on purpose).
 *
 * Everything started here is started from `dist/`, as packaged, and ended by its process id.
 */
import {
  appendFileSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RefreshRecord } from "../../src/credentials/record.ts";
import type { Status } from "../../src/report/status.ts";
import { installAgent } from "../agent/launch.ts";
import { BASE_KEY, ROLE_ARN } from "../aws-emulator/emulator.ts";
import { eventually } from "./eventually.ts";
import type { Identity } from "./identity.ts";
import { COMMAND, type CommandResult, type Launched, launch, launchRun, type Run } from "./launch.ts";
import { type PathUnit, startPathUnit } from "./path-unit.ts";

/** Tests start hundreds of short processes; Node need not compile the same code in each of them. */
export const COMPILE_CACHE = fileURLToPath(new URL("../../node_modules/.cache/compile", import.meta.url));

export const SERIAL = "serial-ABCDEFG";
export const SESSION_ARN =
  "arn:aws:sts::123456789012:assumed-role/CodeDeployIDC-Instance-Profile/serial-ABCDEFG";

export interface ScratchHostOptions {
  /** Where STS is. */
  endpoint: string;
  timeFactor?: number;
  /** YAML added to the config file. */
  config?: string;
  /** YAML added to its `agent` section, such as `on_drift: report`. */
  agent?: string;
  serial?: string;
  env?: Record<string, string>;
  /** Where the scratch directory goes; the system's temporary directory by default. */
  parent?: string;
  /** Who owns everything of this host, and whom commands run as; the tests' own user by default. */
  owner?: Identity;
}

/** How one command differs from the host's others. */
export interface CommandOptions {
  env?: NodeJS.ProcessEnv;
  as?: Identity;
  prefix?: readonly string[];
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
  readonly #owner: Identity | undefined;
  readonly #running: (Run | PathUnit)[] = [];

  constructor(options: ScratchHostOptions) {
    const { endpoint, timeFactor = 1, serial = SERIAL, config = "", env = {}, parent = tmpdir() } = options;
    const agentConfig = options.agent === undefined ? "" : `, ${options.agent}`;
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
    const { settings } = installAgent({ directory: this.agentDirectory });
    this.writeConfig(`serial: ${serial}
region: ap-northeast-2
role_arn: ${ROLE_ARN}
base_credentials: { file: ${this.baseFile} }
agent: { settings_file: ${settings}, service: idc-helper-test-agent.service${agentConfig} }
endpoints: { sts: "${endpoint}" }
paths:
  state_dir: ${this.stateDir}
  runtime_dir: ${this.runtimeDir}
  agent_runtime_dir: ${this.agentRuntimeDir}
${config}`);
    this.#owner = options.owner;
    if (options.owner) handOver(this.directory, options.owner);
  }

  get agentDirectory(): string {
    return join(this.directory, "agent");
  }

  writeConfig(text: string): void {
    writeFileSync(this.configFile, text, { mode: 0o644 });
  }

  addConfig(text: string): void {
    appendFileSync(this.configFile, text);
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
  command(...args: string[]): Promise<CommandResult> {
    return this.start(args).result;
  }

  start(args: readonly string[], options: CommandOptions = {}): Launched {
    return launch(this.#launchOptions(args, options));
  }

  startRun(env: NodeJS.ProcessEnv = {}, options: Omit<CommandOptions, "env"> = {}): Run {
    const run = launchRun(this.#launchOptions(["run"], { ...options, env }));
    this.#running.push(run);
    return run;
  }

  #launchOptions(args: readonly string[], { env = {}, as = this.#owner, prefix }: CommandOptions) {
    return { args: [...args, "--config", this.configFile], env: { ...this.env, ...env }, as, prefix };
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

function handOver(directory: string, { userId, groupId }: Identity): void {
  chownSync(directory, userId, groupId);
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    chownSync(join(entry.parentPath, entry.name), userId, groupId);
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
  return { ...Object.fromEntries(own), AWS_EC2_METADATA_DISABLED: "true", NODE_COMPILE_CACHE: COMPILE_CACHE };
}
