/**
 * A whole host to be root on: scratch directories lie over /etc, /var, /run, /root, /home, /opt, /tmp and /sys/class
 * in a mount namespace, with the helper's units, the stand-in agent and a stand-in `systemctl`.
 *
 * The product runs in there as it is shipped, without an option that only tests use. Outside, tests read and write
 * the same files through {@link HostRoot.path}. Where we are not root, a user namespace makes us so, and every
 * account of the host is root by another name.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import type { SyncAnswer } from "../../src/agent/exchange.ts";
import type { Status } from "../../src/report/status.ts";
import { BASE_KEY, OPERATOR_KEY, ROLE_ARN } from "../aws-emulator/emulator.ts";
import { eventually } from "./eventually.ts";
import { ACCOUNTS, type AccountName } from "./host-root/accounts.ts";
import { killNow } from "./host-root/ending.ts";
import { HARNESS_DIRECTORY, type HostInside } from "./host-root/inside.ts";
import { type FileOptions, layOut, writeOwned } from "./host-root/layout.ts";
import { COVERED, MountNamespace } from "./host-root/namespace.ts";
import { ServiceManager } from "./host-root/service-manager.ts";
import { isRoot } from "./identity.ts";
import { COMMAND, type CommandResult, type Launched, launch } from "./launch.ts";
import { COMPILE_CACHE, SERIAL } from "./scratch-host.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

export { AGENT, HELPER, REQUESTS } from "./host-root/service-manager.ts";

export const CONFIG_FILE = "/etc/idc-codedeploy-helper/config.yaml";
export const BASE_CREDENTIALS_FILE = "/etc/idc-codedeploy-helper/base-credentials";
export const CREDENTIALS_FILE = "/var/lib/idc-codedeploy-helper/credentials";
export const ON_PREMISES_CONFIG_FILE = "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml";

export interface HostRootOptions {
  /** Where STS and CodeDeploy are. */
  endpoint: string;
  /** Where the agent's command service is; the same by default. */
  agentEndpoint?: string;
  timeFactor?: number;
  /** The host's own by default. */
  agentTimeFactor?: number;
  /** Whether the agent is installed; true by default. */
  hasAgent?: boolean;
  /** For every command and service of this host. */
  env?: Record<string, string>;
}

export interface HostCommandOptions {
  env?: Record<string, string>;
  /** Standard input; empty by default. */
  input?: string;
  /** Whom it runs as; root by default. Where tests do not run as root, everyone else is nobody. */
  as?: AccountName;
}

interface KeyPair {
  accessKeyId: string;
  secretAccessKey: string;
}

export class HostRoot {
  /** The scratch directory, as it lies outside. */
  readonly directory: string;
  readonly services: ServiceManager;
  readonly #options: HostRootOptions;
  readonly #namespace: MountNamespace;
  readonly #started: Launched[] = [];
  #closing: Promise<void> | null = null;

  private constructor(
    directory: string,
    options: HostRootOptions,
    namespace: MountNamespace,
    services: ServiceManager,
  ) {
    this.directory = directory;
    this.services = services;
    this.#options = options;
    this.#namespace = namespace;
  }

  static async open(options: HostRootOptions): Promise<HostRoot> {
    const directory = mkdtempSync(join(tmpdir(), "idc-host-"));
    try {
      layOut(directory);
      mkdirSync(join(directory, HARNESS_DIRECTORY, "bin"), { recursive: true });
      const namespace = await MountNamespace.open(directory);
      const { timeFactor = 1, agentTimeFactor = timeFactor, endpoint, agentEndpoint = endpoint } = options;
      const inside: HostInside = {
        directory,
        timeFactor,
        agentTimeFactor,
        agentEndpoint,
        enter: (as) => [...namespace.prefix, ...become(as)],
        serviceEnv: () => environment(options, "root"),
      };
      const services = await ServiceManager.open(inside);
      if (options.hasAgent !== false) services.agent.install();
      return new HostRoot(directory, options, namespace, services);
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Where a file of the host lies outside. @throws for one that is not the host's own */
  path(inside: string): string {
    const relative = normalize(inside).slice(1);
    if (!COVERED.some((directory) => relative === directory || relative.startsWith(`${directory}/`))) {
      throw new Error(`${inside} is not among the scratch host's own files`);
    }
    return join(this.directory, relative);
  }

  read(path: string): string {
    return readFileSync(this.path(path), "utf8");
  }

  /** Root's and 0644 by default; its directories are made. */
  write(path: string, text: string, options: FileOptions = {}): void {
    writeOwned(this.path(path), text, options);
  }

  /** Puts a program of the test's own before the host's: `program("rpm", "#!/bin/sh\n…")`. */
  program(name: string, text: string): void {
    this.write(`${HARNESS_DIRECTORY}/bin/${name}`, text, { mode: 0o755 });
  }

  /** Our command, to its end. */
  command(args: readonly string[], options: HostCommandOptions = {}): Promise<CommandResult> {
    return this.start(args, options).result;
  }

  /** Our command, to be watched or killed: `pid` is the product's own process. */
  start(args: readonly string[], options: HostCommandOptions = {}): Launched {
    return this.startProgram(COMMAND, args, options);
  }

  /** Any program that the host has, to its end. */
  runProgram(
    program: string,
    args: readonly string[],
    options: HostCommandOptions = {},
  ): Promise<CommandResult> {
    return this.startProgram(program, args, options).result;
  }

  startProgram(program: string, args: readonly string[], options: HostCommandOptions = {}): Launched {
    const launched = launch({ program, args, ...this.#how(options), input: options.input });
    this.#started.push(launched);
    return launched;
  }

  /** The same commands for an unprivileged user of the host. */
  asUser(name: AccountName = "deploy") {
    return {
      command: (args: readonly string[], options: HostCommandOptions = {}) =>
        this.command(args, { ...options, as: name }),
      runProgram: (program: string, args: readonly string[], options: HostCommandOptions = {}) =>
        this.runProgram(program, args, { ...options, as: name }),
    };
  }

  /** Our command on a terminal. */
  terminal(
    args: readonly string[],
    {
      columns,
      program = COMMAND,
      ...options
    }: HostCommandOptions & { columns?: number; program?: string } = {},
  ): Terminal {
    const { prefix, env } = this.#how(options);
    return openTerminal({ command: [...prefix, program, ...args], env, ...(columns && { columns }) });
  }

  #how({ as = "root", env = {} }: HostCommandOptions) {
    return {
      prefix: [...this.#namespace.prefix, ...become(as)],
      env: { ...environment(this.#options, as), ...env },
    };
  }

  /** A config written by hand, as for the emulator's role and this host's usual serial. */
  writeConfig({ serial = SERIAL, more = "" }: { serial?: string; more?: string } = {}): void {
    this.write(CONFIG_FILE, `serial: ${serial}\nregion: ap-northeast-2\nrole_arn: ${ROLE_ARN}\n${more}`);
  }

  writeBaseCredentials(key: KeyPair = BASE_KEY): void {
    this.write(BASE_CREDENTIALS_FILE, profile(key), { mode: 0o640, group: "idc-helper" });
  }

  /** In a user's `~/.aws/credentials`. */
  writeSharedCredentials(key: KeyPair, { as = "root" }: { as?: AccountName } = {}): void {
    const path = join(ACCOUNTS[as].home, ".aws/credentials");
    this.write(path, profile(key), { mode: 0o600, owner: as });
  }

  status(): Status | null {
    return this.#json("/run/idc-codedeploy-helper/status.json");
  }

  agentAnswer(): SyncAnswer | null {
    return this.#json("/run/idc-codedeploy-helper-agent/agent.json");
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

  /** What runs on the host at this moment, services included. */
  processes(): number[] {
    return this.#namespace.processes();
  }

  /** Ends everything that runs on the host, and removes it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // One that has only just been started may still be on its way in, where the namespace's end would miss it.
    await Promise.all(this.#started.map(({ process: child }) => killNow(child)));
    await this.services.close(() => this.#namespace.close());
    rmSync(this.directory, { recursive: true, force: true });
  }

  #json<T>(path: string): T | null {
    try {
      return JSON.parse(this.read(path)) as T;
    } catch {
      return null;
    }
  }
}

/** An operator's key, as the SDK's chain finds it in the environment. */
export function operatorEnv({
  accessKeyId,
  secretAccessKey,
}: KeyPair = OPERATOR_KEY): Record<string, string> {
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
}

const profile = ({ accessKeyId, secretAccessKey }: KeyPair): string =>
  `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;

const home = (as: AccountName) => ["env", `--chdir=${as === "root" ? "/root" : "/"}`];

/** In a user namespace there is nobody else to become but one who has no name and no rights there. */
function become(as: AccountName): readonly string[] {
  if (as === "root" || (!isRoot && as === "idc-helper")) return home(as);
  const user = isRoot
    ? ["setpriv", `--reuid=${as}`, `--regid=${as}`, "--init-groups", "--"]
    : ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"];
  return [...home(as), ...user];
}

function environment({ endpoint, timeFactor = 1, env = {} }: HostRootOptions, as: AccountName) {
  return {
    PATH: `${HARNESS_DIRECTORY}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: ACCOUNTS[as].home,
    USER: as,
    LOGNAME: as,
    SHELL: "/bin/sh",
    LANG: "C.UTF-8",
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_ENDPOINT_URL_CODEDEPLOY: endpoint,
    ...(timeFactor === 1 ? {} : { IDC_HELPER_TIME_FACTOR: String(timeFactor) }),
    ...env,
  };
}
