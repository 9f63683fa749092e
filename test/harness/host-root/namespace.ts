/**
 * A mount namespace in which scratch directories lie over the host's own, kept by a holder process.
 *
 * Outside nothing is mounted. The holder ends with its standard input, and ends all that runs in there: nothing is
 * left over, even of a test that was killed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { isRoot } from "../identity.ts";

const HOLDER = fileURLToPath(new URL("holder.sh", import.meta.url));
const PROJECT = fileURLToPath(new URL("../../../", import.meta.url));

/** Scratch directories that lie over the host's; everything else is the host's own. */
export const COVERED = ["etc", "var", "run", "root", "home", "opt", "sys/class", "tmp"] as const;

export class MountNamespace {
  readonly #holder: ChildProcess;
  readonly #pid: number;
  readonly #link: string;

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
    this.#pid = holder.pid ?? 0;
    this.#link = readlinkSync(`/proc/${this.#pid}/ns/mnt`);
  }

  /** @param directory holds every directory of {@link COVERED} */
  static async open(directory: string): Promise<MountNamespace> {
    const own = ["--mount", "--propagation", "private", ...(isRoot ? [] : ["--user", "--map-root-user"])];
    const holder = spawn("unshare", [...own, "sh", HOLDER, directory, ...COVERED, "--", ...visible()], {
      // Not in the terminal's group: Ctrl-C must reach what it has to clean up after, not itself.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    let complaint = "";
    holder.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint += text;
    });
    const [said] = await Promise.race([once(holder.stdout, "data"), once(holder, "close")]);
    if (String(said).trim() !== "ready") {
      throw new Error(`no mount namespace; it takes root, or user namespaces for everyone:\n${complaint}`);
    }
    return new MountNamespace(holder);
  }

  /** Put before a command, it runs in there as (mapped) root and becomes that command. */
  get prefix(): readonly string[] {
    const asMappedRoot = isRoot ? [] : ["--user", "--preserve-credentials"];
    return ["nsenter", "--target", String(this.#pid), "--mount", ...asMappedRoot, "--"];
  }

  /** Everything that runs in there, the holder and its own children left out. */
  processes(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => namespaceOf(pid) === this.#link && !this.#isHolders(pid));
  }

  #isHolders(pid: number): boolean {
    return pid === this.#pid || parentOf(pid) === this.#pid;
  }

  async close(): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return;
    const closed = once(this.#holder, "close");
    this.#holder.stdin?.end();
    await closed;
  }
}

/** The project and the Node that runs the tests, where a scratch directory would hide them. */
function visible(): string[] {
  const modules = realpathSync(`${PROJECT}node_modules`);
  const paths = [PROJECT.replace(/\/$/, ""), modules, dirname(realpathSync(process.execPath))];
  const covered = (path: string) => COVERED.some((directory) => path.startsWith(`/${directory}/`));
  const needed = [...new Set(paths)].filter(covered);
  // What lies in another of them comes with it.
  return needed.filter((path) => !needed.some((other) => path.startsWith(`${other}/`)));
}

function namespaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return null;
  }
}

function parentOf(pid: number): number | null {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return null;
  }
}
