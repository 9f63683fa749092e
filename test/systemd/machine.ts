/**
 * A booted systemd: a container over the base root, with a temporary file system on top that outlives its boots and
 * nothing else. It shares the network, so that 127.0.0.1 in it is 127.0.0.1 here.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../harness/eventually.ts";
import { childrenOf, descendantsOf, isRunning } from "../harness/processes.ts";
import { type Ended, runToEnd } from "./process.ts";
import { until } from "./until.ts";

/** Where systemd keeps its groups: the unified hierarchy, and the two of a hybrid one. */
const CGROUP_ROOTS = ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"];

export interface MachineOptions {
  baseRoot: string;
  /** What is put on top of the base root. */
  staging: string;
  /** A scratch directory for the mounts. */
  directory: string;
}

/**
 * Holds the disk, and boots from it whenever it reads the name of a control group. In a mount namespace of its own:
 * the mounts go with the last process. Each boot in a control group of its own: two containers below one group would
 * see each other's processes. With death signals: nothing outlives us.
 */
const HOLD = `set -e
mount -t tmpfs -o mode=0755,size=1536m tmpfs "$3"
mkdir "$3/upper" "$3/work" "$3/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$3/upper,workdir=$3/work" "$3/root"
cp -a "$2/." "$3/root/"
while read -r group; do
  sh -ec '
    for hierarchy in ${CGROUP_ROOTS.join(" ")}; do
      [ -e "$hierarchy/cgroup.procs" ] || continue
      mkdir "$hierarchy/$2"
      echo $$ >"$hierarchy/$2/cgroup.procs"
    done
    exec setpriv --pdeathsig=TERM \\
      systemd-nspawn -q -D "$1" --machine="$2" --register=no --keep-unit --console=pipe --boot </dev/null
  ' boot "$3/root" "$group" || :
done`;

/** The longest that a unit's stop may take (90 s), and more: a machine that is killed has not been shut down in order. */
const POWER_OFF_LIMIT_MS = 120_000;
/** On a busy machine a boot, which is a second's work, has taken most of a minute. */
const START_LIMIT_MS = 180_000;
const ENVIRONMENT = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TERM=dumb"];

let machines = 0;

export class Machine {
  readonly #holder: ChildProcess;
  readonly name: string;
  #boots = 0;
  /** Ends what still runs inside by our doing. */
  #ending = new AbortController();
  #leader = 0;
  #console = "";

  private constructor(holder: ChildProcess, name: string) {
    this.#holder = holder;
    this.name = name;
    for (const stream of [holder.stdout, holder.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#console = (this.#console + text).slice(-20_000);
      });
    }
    holder.stdin?.on("error", () => undefined);
  }

  /** Returns at once; the caller waits for {@link boot}, and ends it in any case. */
  static start({ baseRoot, staging, directory }: MachineOptions): Machine {
    machines += 1;
    const mounts = join(directory, "mounts");
    mkdirSync(mounts);
    const held = ["sh", "-c", HOLD, "hold", baseRoot, staging, mounts];
    const holder = spawn(
      "unshare",
      ["--mount", "--propagation=private", "setpriv", "--pdeathsig=TERM", ...held],
      { detached: true, stdio: ["pipe", "pipe", "pipe"] },
    );
    return new Machine(holder, `idc-helper-test-${process.pid}-${machines}`);
  }

  /** Switches it on, and waits until the boot is over. */
  async boot(): Promise<void> {
    this.#boots += 1;
    this.#ending = new AbortController();
    this.#holder.stdin?.write(`${this.#group}\n`);
    this.#leader = await eventually(
      () => {
        if (this.#holder.exitCode !== null) throw new Error(`the container ended:\n${this.#console}`);
        return descendantsOf(this.#holder.pid ?? 0).find(isPidOne);
      },
      () => `the container does not start:\n${this.#console}`,
      START_LIMIT_MS,
    );
    await until(
      async () => (await this.exec("systemctl", "is-system-running", "--wait")).stdout.trim() === "running",
      async () =>
        `the container does not boot: ${(await this.exec("systemctl", "--failed", "--no-pager")).stdout}\n${this.#console}`,
    );
  }

  /** The machine's first process, as it is numbered outside. */
  get leader(): number {
    return this.#leader;
  }

  get #group(): string {
    return `${this.name}-${this.#boots}`;
  }

  /** Runs a command inside, as root, outside of any service. */
  exec(...command: string[]): Promise<Ended> {
    return this.run(command);
  }

  run(command: readonly string[], options: { input?: string; env?: readonly string[] } = {}): Promise<Ended> {
    const { input = "", env = [] } = options;
    const inside = ["-t", String(this.#leader), "--all", "--wd", ...command];
    // Not as arguments of env(1): they are for everybody to read, and an operator's key is among these.
    const environment = Object.fromEntries([...ENVIRONMENT, ...env].map(nameAndValue));
    return runToEnd("nsenter", inside, { input, env: environment, signal: this.#ending.signal });
  }

  /** Runs a shell script inside. @throws with what it said, when it fails */
  async sh(script: string, input = ""): Promise<string> {
    const { code, stdout, output } = await this.run(["sh", "-euc", script], { input });
    if (code !== 0) throw new Error(`status ${code} of: ${script}\n${output}`);
    return stdout.trim();
  }

  write(path: string, text: string, mode = "0644"): Promise<string> {
    return this.sh(
      `mkdir -p "$(dirname ${path})"; cat >${path}.new; chmod ${mode} ${path}.new; mv ${path}.new ${path}`,
      text,
    );
  }

  /** An orderly shutdown; what is on the disk stays. */
  async powerOff(): Promise<void> {
    // The container's shutdown stops all processes before it kills them; nsenter stops when its child does, and
    // would then never see that child end, nor let the container end.
    this.#ending.abort();
    const [nspawn] = childrenOf(this.#holder.pid ?? 0);
    if (nspawn !== undefined) {
      // To nspawn this means an orderly power-off of what it runs; without nspawn the container is killed.
      process.kill(nspawn, "SIGTERM");
      const deadline = performance.now() + POWER_OFF_LIMIT_MS;
      while (isRunning(nspawn) && performance.now() < deadline) await sleep(20);
      if (isRunning(nspawn)) process.kill(nspawn, "SIGKILL");
    }
    await eventually(
      () =>
        (this.#leader === 0 || !isRunning(this.#leader)) && childrenOf(this.#holder.pid ?? 0).length === 0,
      () => `the container's first process ${this.#leader} does not end`,
      START_LIMIT_MS,
    );
    for (const root of CGROUP_ROOTS) removeGroup(join(root, this.#group));
  }

  async stop(): Promise<void> {
    await this.powerOff();
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return;
    const ended = once(this.#holder, "exit");
    this.#holder.stdin?.end();
    await ended;
  }
}

function nameAndValue(variable: string): [name: string, value: string] {
  const at = variable.indexOf("=");
  return [variable.slice(0, at), variable.slice(at + 1)];
}

/** Empty groups, from the innermost out. */
function removeGroup(path: string): void {
  if (!existsSync(join(path, "cgroup.procs"))) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroup(join(path, entry.name));
  }
  rmdirSync(path);
}

/** The container's first process is number 1 in the innermost namespace. */
function isPidOne(pid: number): boolean {
  try {
    const [, numbers = ""] = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return numbers.split(/\s+/).length > 1 && numbers.split(/\s+/).at(-1) === "1";
  } catch {
    return false;
  }
}
