/**
 * A whole host to be root on: scratch directories lie over /etc, /var, /run, /root, /home, /opt, /tmp and /sys/class
 * in a mount namespace, with the helper's units, the stand-in agent and a stand-in `systemctl`.
 *
 * The product runs in there as it is shipped, without an option that only tests use. Outside, tests read and write
 * the same files through {@link HostRoot.path}. Where we are not root, a user namespace makes us so, and every
 * account of the host is root by another name.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Status } from "../../src/report/status.ts";
import { OPERATOR_KEY } from "../aws-emulator/emulator.ts";
import { eventually } from "./eventually.ts";
import type { AccountName } from "./host-root/accounts.ts";
import { killNow } from "./host-root/ending.ts";
import { become, environment, type Surroundings } from "./host-root/entering.ts";
import { HostFiles, type KeyPair } from "./host-root/host-files.ts";
import { HARNESS_DIRECTORY, type HostInside } from "./host-root/inside.ts";
import { layOut } from "./host-root/layout.ts";
import { MountNamespace } from "./host-root/namespace.ts";
import { ServiceManager } from "./host-root/service-manager.ts";
import { COMMAND, type CommandResult, type Launched, launch } from "./launch.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

export {
  BASE_CREDENTIALS_FILE,
  CONFIG_FILE,
  CREDENTIALS_FILE,
  ON_PREMISES_CONFIG_FILE,
} from "./host-root/host-files.ts";
export { AGENT, HELPER, REQUESTS } from "./host-root/service-manager.ts";
export { differences } from "./host-root/snapshot.ts";

export interface HostRootOptions extends Surroundings {
  /** Where the agent's command service is; the same by default. */
  agentEndpoint?: string;
  /** The host's own by default. */
  agentTimeFactor?: number;
  /** Whether the agent is installed; true by default. */
  hasAgent?: boolean;
}

export interface HostCommandOptions {
  env?: Record<string, string>;
  /** Standard input; empty by default. */
  input?: string;
  /** Whom it runs as; root by default. Where tests do not run as root, everyone else is nobody. */
  as?: AccountName;
}

export class HostRoot extends HostFiles {
  readonly services: ServiceManager;
  readonly #options: HostRootOptions;
  readonly #namespace: MountNamespace;
  readonly #started: Launched[] = [];
  readonly #terminals: Terminal[] = [];
  #closing: Promise<void> | null = null;

  private constructor(
    directory: string,
    options: HostRootOptions,
    namespace: MountNamespace,
    services: ServiceManager,
  ) {
    super(directory);
    this.services = services;
    this.#options = options;
    this.#namespace = namespace;
  }

  static async open(options: HostRootOptions): Promise<HostRoot> {
    const directory = mkdtempSync(join(tmpdir(), "idc-host-"));
    let namespace: MountNamespace | null = null;
    try {
      layOut(directory);
      mkdirSync(join(directory, HARNESS_DIRECTORY, "bin"), { recursive: true });
      namespace = await MountNamespace.open(directory);
      const { prefix } = namespace;
      const { timeFactor = 1, agentTimeFactor = timeFactor, endpoint, agentEndpoint = endpoint } = options;
      const inside: HostInside = {
        directory,
        timeFactor,
        agentTimeFactor,
        agentEndpoint,
        enter: (as) => [...prefix, ...become(as)],
        serviceEnv: () => environment(options, "root"),
      };
      const services = await ServiceManager.open(inside);
      if (options.hasAgent !== false) services.agent.install();
      return new HostRoot(directory, options, namespace, services);
    } catch (error) {
      await namespace?.close();
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
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
    const terminal = openTerminal({
      command: [...prefix, program, ...args],
      env,
      ...(columns && { columns }),
    });
    this.#terminals.push(terminal);
    return terminal;
  }

  #how({ as = "root", env = {} }: HostCommandOptions) {
    return {
      prefix: [...this.#namespace.prefix, ...become(as)],
      env: { ...environment(this.#options, as), ...env },
    };
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
    await Promise.all(this.#terminals.map((terminal) => terminal.close()));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** An operator's key, as the SDK's chain finds it in the environment. */
export function operatorEnv({
  accessKeyId,
  secretAccessKey,
}: KeyPair = OPERATOR_KEY): Record<string, string> {
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
}
