/**
 * The control node: Debian's own ansible-core, with the collection built and installed as Galaxy would, an inventory of the
 * booted machines with a vault beside it, and the operator's identity in its environment alone.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OPERATOR_KEY } from "../aws-emulator/emulator.ts";
import { type Ended, runToEnd } from "../systemd/process.ts";

const COLLECTION = fileURLToPath(new URL("../../packaging/ansible", import.meta.url));
const NAMESPACE = ".ansible/collections/ansible_collections/idc";
const VAULT_PASSWORD = "throw-away";
const LIMIT_MS = 1_800_000;

/**
 * In ssh's place, for a machine named by its first process: the last argument is the command, the one before it the
 * machine. As with ssh, nothing of our environment goes along. What does go along, command and input, is kept.
 */
const SSH = `#!/bin/sh
for word do machine=$command; command=$word; done
record=$(mktemp "$IDC_TEST_SENT/XXXXXX")
printf '%s\\n' "$*" >"$record"
enter() {
  nsenter --target "\${machine#pid-}" --all env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 sh -c "$command"
}
if [ -t 0 ]; then enter </dev/null; else tee -a "$record" | enter; fi
`;

/** Variables of one host, or of all. */
export type Variables = Readonly<Record<string, unknown>>;

export interface Inventory {
  hosts: Readonly<Record<string, Variables>>;
  vars: Variables;
  /** Goes into a vault. */
  secrets: Readonly<Record<string, string>>;
}

export class ControlNode {
  readonly #directory: string;
  readonly #sent: string;
  readonly #signal: AbortSignal;
  /** What no play may print; a play that does fails its check. */
  #unspeakable: readonly string[] = [];
  /** Pieces of what was sent to hosts that hold the operator's key. */
  readonly leaks: string[] = [];
  /** Whether the search for such pieces finds what was indeed sent: the hosts' own base key. */
  hasSeenBaseKey = false;

  constructor(directory: string, signal: AbortSignal) {
    this.#directory = join(directory, "control");
    this.#sent = join(this.#directory, "sent");
    this.#signal = signal;
    mkdirSync(this.#sent, { recursive: true });
    writeFileSync(join(this.#directory, "ssh"), SSH, { mode: 0o755 });
    writeFileSync(join(this.#directory, "vault-password"), VAULT_PASSWORD, { mode: 0o600 });
  }

  /** Of the collection as `ansible-galaxy collection build` makes it. @returns what the two programs said */
  async installCollection(): Promise<string> {
    const built = await this.must("ansible-galaxy", [
      ...["collection", "build", "--output-path", this.#directory, COLLECTION],
    ]);
    const archive = /at (\S+\.tar\.gz)/.exec(built)?.[1] ?? "";
    return built + (await this.must("ansible-galaxy", ["collection", "install", archive]));
  }

  async writeInventory({ hosts, vars, secrets }: Inventory): Promise<void> {
    const reach = {
      ansible_ssh_executable: join(this.#directory, "ssh"),
      ansible_ssh_transfer_method: "piped",
      ansible_python_interpreter: "/usr/bin/python3",
    };
    const group = join(this.#directory, "inventory/group_vars/all");
    mkdirSync(group, { recursive: true });
    writeFileSync(join(this.#directory, "inventory/hosts.json"), JSON.stringify({ all: { hosts } }));
    writeFileSync(join(group, "vars.json"), JSON.stringify({ ...reach, ...vars }));
    writeFileSync(join(group, "vault.json"), JSON.stringify(secrets));
    await this.must("ansible-vault", ["encrypt", ...this.#vault, join(group, "vault.json")]);
    this.#unspeakable = [...Object.values(secrets), OPERATOR_KEY.secretAccessKey];
  }

  /** @throws where it prints a secret, whatever it was asked to print */
  async play(name: string, ...more: string[]): Promise<Ended> {
    const inventory = ["-i", join(this.#directory, "inventory")];
    const playbook = `idc.codedeploy_helper.${name}`;
    const ended = await this.run("ansible-playbook", [...inventory, ...this.#vault, playbook, ...more]);
    this.#searchSent();
    for (const secret of this.#unspeakable) {
      // As it is, and as JSON has it.
      for (const text of [secret, JSON.stringify(secret).slice(1, -1)]) {
        const at = ended.output.indexOf(text);
        if (at >= 0)
          throw new Error(`a secret is printed: ${ended.output.slice(Math.max(0, at - 300), at)}…`);
      }
    }
    return ended;
  }

  /** The whole collection, with its galaxy.yml, which an installed one does not have. */
  async lint(): Promise<Ended> {
    // A home of its own: there it finds the collection as its playbooks name it.
    const home = join(this.#directory, "lint");
    const place = join(home, NAMESPACE, "codedeploy_helper");
    cpSync(COLLECTION, place, { recursive: true });
    const lint = ["ansible-lint", "--offline", "--nocolor", "--profile", "production"];
    return this.run("env", ["--chdir", place, `HOME=${home}`, ...lint]);
  }

  /** @throws with what it said, when it fails */
  async must(program: string, args: readonly string[]): Promise<string> {
    const { code, output } = await this.run(program, args);
    if (code !== 0) throw new Error(`status ${code} of ${program} ${args.join(" ")}\n${output}`);
    return output;
  }

  run(program: string, args: readonly string[]): Promise<Ended> {
    const env = {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      LC_ALL: "C.UTF-8",
      HOME: this.#directory,
      ANSIBLE_RETRY_FILES_ENABLED: "False",
      // What a host is does not change between two plays.
      ANSIBLE_GATHERING: "smart",
      ANSIBLE_CACHE_PLUGIN: "jsonfile",
      ANSIBLE_CACHE_PLUGIN_CONNECTION: join(this.#directory, "facts"),
      IDC_TEST_SENT: this.#sent,
      AWS_ACCESS_KEY_ID: OPERATOR_KEY.accessKeyId,
      AWS_SECRET_ACCESS_KEY: OPERATOR_KEY.secretAccessKey,
      // No metadata service of whatever cloud this runs in.
      AWS_EC2_METADATA_DISABLED: "true",
      ...this.identity,
    };
    return runToEnd(program, args, { env, signal: this.#signal, withChildren: true, limitMs: LIMIT_MS });
  }

  /** In place of the operator's. */
  identity: NodeJS.ProcessEnv = {};

  get #vault(): string[] {
    return ["--vault-password-file", join(this.#directory, "vault-password")];
  }

  #searchSent(): void {
    for (const name of readdirSync(this.#sent)) {
      const text = readFileSync(join(this.#sent, name), "latin1");
      for (const key of [OPERATOR_KEY.secretAccessKey, OPERATOR_KEY.accessKeyId]) {
        const at = text.indexOf(key);
        if (at >= 0) this.leaks.push(text.slice(Math.max(0, at - 200), at));
      }
      this.hasSeenBaseKey ||= this.#unspeakable.some((secret) => text.includes(secret));
      rmSync(join(this.#sent, name));
    }
  }
}

export interface Recap {
  changed: number;
  failed: number;
}

/** Of the line that ansible-playbook ends with, for each host; NaN where the host is not among them. */
export function recapOf({ stdout }: Ended, serial: string): Recap {
  const line = stdout.split("\n").find((each) => each.startsWith(`${serial} `) && each.includes("changed="));
  const count = (name: string) => Number(new RegExp(`${name}=(\\d+)`).exec(line ?? "")?.[1] ?? Number.NaN);
  return { changed: count("changed"), failed: count("failed") };
}

export function extra(variables: Variables): string[] {
  return ["-e", JSON.stringify(variables)];
}
