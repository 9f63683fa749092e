/**
 * A booted systemd: a container over the base root, with a temporary file system on top that nothing survives. It
 * shares the network, so that 127.0.0.1 in it is 127.0.0.1 here.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../harness/eventually.ts";
import { descendantsOf, isRunning } from "../harness/processes.ts";
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
 * In a mount namespace of its own: the mounts go with the last process. In a control group of its own: two
 * containers below one group would see each other's processes. With a death signal: it does not outlive us.
 */
const BOOT = `set -e
mount -t tmpfs -o mode=0755 tmpfs "$3"
mkdir "$3/upper" "$3/work" "$3/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$3/upper,workdir=$3/work" "$3/root"
cp -a "$2/." "$3/root/"
for hierarchy in ${CGROUP_ROOTS.join(" ")}; do
  [ -e "$hierarchy/cgroup.procs" ] || continue
  mkdir "$hierarchy/$4"
  echo $$ >"$hierarchy/$4/cgroup.procs"
done
exec systemd-nspawn -q -D "$3/root" --machine="$4" --register=no --keep-unit --console=pipe --boot`;

const POWER_OFF_LIMIT_MS = 5_000;
const ENVIRONMENT = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TERM=dumb"];

export class Machine {
  readonly #nspawn: ChildProcess;
  readonly #name: string;
  /** Ends what still runs inside by our doing. */
  readonly #ending = new AbortController();
  #leader = 0;
  #console = "";

  private constructor(nspawn: ChildProcess, name: string) {
    this.#nspawn = nspawn;
    this.#name = name;
    for (const stream of [nspawn.stdout, nspawn.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#console = (this.#console + text).slice(-20_000);
      });
    }
  }

  /** Returns at once; the caller waits for {@link ready}, and ends it in any case. */
  static start({ baseRoot, staging, directory }: MachineOptions): Machine {
    const mounts = join(directory, "machine");
    mkdirSync(mounts);
    const name = `idc-helper-test-${process.pid}`;
    const nspawn = spawn(
      "unshare",
      [
        "--mount",
        "--propagation=private",
        "setpriv",
        "--pdeathsig=TERM",
        "sh",
        "-c",
        BOOT,
        "boot",
        baseRoot,
        staging,
        mounts,
        name,
      ],
      { detached: true, stdio: ["ignore", "pipe", "pipe"] },
    );
    return new Machine(nspawn, name);
  }

  /** Waits until the boot is over. */
  async ready(): Promise<void> {
    this.#leader = await eventually(
      () => {
        if (this.#nspawn.exitCode !== null) throw new Error(`the container ended:\n${this.#console}`);
        return descendantsOf(this.#nspawn.pid ?? 0).find(isPidOne);
      },
      () => `the container does not start:\n${this.#console}`,
    );
    await until(
      async () => (await this.exec("systemctl", "is-system-running", "--wait")).stdout.trim() === "running",
      () => `the container does not boot:\n${this.#console}`,
    );
  }

  /** Runs a command inside, as root, outside of any service. */
  exec(...command: string[]): Promise<Ended> {
    return this.run(command);
  }

  run(command: readonly string[], options: { input?: string; env?: readonly string[] } = {}): Promise<Ended> {
    const { input = "", env = [] } = options;
    const inside = ["-t", String(this.#leader), "--all", "--wd", "env", "-i", ...ENVIRONMENT, ...env];
    return runToEnd("nsenter", [...inside, ...command], { input, signal: this.#ending.signal });
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

  async stop(): Promise<void> {
    // The container's shutdown stops all processes before it kills them; nsenter stops when its child does, and
    // would then never see that child end, nor let the container end.
    this.#ending.abort();
    await this.#powerOff();
    for (const root of CGROUP_ROOTS) removeGroup(join(root, this.#name));
  }

  async #powerOff(): Promise<void> {
    const nspawn = this.#nspawn;
    if (nspawn.exitCode !== null || nspawn.signalCode !== null) return;
    const ended = once(nspawn, "exit");
    // To nspawn this means an orderly power-off of what it runs; without nspawn the container is killed.
    nspawn.kill("SIGTERM");
    await Promise.race([ended, sleep(POWER_OFF_LIMIT_MS, undefined, { ref: false })]);
    nspawn.kill("SIGKILL");
    await ended;
    await eventually(
      () => this.#leader === 0 || !isRunning(this.#leader),
      () => `the container's first process ${this.#leader} does not end`,
    );
  }
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
