/**
 * Everything on the machine that root has no business with while it works for us: the state of each file before and
 * after, and a watch on files that links are laid to.
 */
import { readFileSync } from "node:fs";
import { UNIT } from "../../systemd/agent-service.ts";
import type { Machine } from "../../systemd/machine.ts";
import { until } from "../../systemd/until.ts";

/** In no output, and in no file but its own. */
export const CANARY = "canary-of-root-6b1f0c";
export const SECRET = "/root/canary/secret";
const CONFIG = "/etc/canary.conf";
const MARK = "/root/canary/mark";
/** Root's, and hard links to them are laid: their count of links is the attacker's doing. */
export const HARD_LINKED = { onDisk: "/var/canary/hard", inMemory: "/run/canary/hard" } as const;
const LOG = "/run/canary-watch.log";

/** What changes by itself on a machine that runs. */
const NOISE =
  /^\/(?:run\/(?:systemd|log|udev|lock|user|dbus|host|canary-watch)|var\/(?:log|lib\/systemd|cache|spool\/cron)|(?:var\/)?tmp\/(?:systemd-private-|namespace-dev-)|opt\/codedeploy-agent|dev|proc|sys)/;
/** Where root does its work for us. */
const WORK =
  /^\/(?:var\/lib\/idc-codedeploy-helper|run\/idc-codedeploy-helper(?:-agent)?)(?:\/|$)|^\/etc\/codedeploy-agent\/conf\/codedeploy\.onpremises\.yml/;

export type Tree = ReadonlyMap<string, string>;

// Of a directory without its inode: overlayfs numbers it anew whenever the kernel had forgotten it.
const LOOK = `
find / /run /tmp /dev/shm -xdev \\( -path /proc -o -path /sys -o -path /run/systemd \\) -prune \\
  -o -type d -printf '%p\\t%y %m %U:%G\\n' -o -printf '%p\\t%y %i %m %U:%G %s %T@ %C@ %l\\n'
echo ----
find /etc /root /home /srv /var/canary /run/canary /usr/lib/systemd /usr/libexec/idc-codedeploy-helper \\
  -xdev -type f -size -16384k -exec sha256sum {} +
`;

export class Canaries {
  readonly #machine: Machine;
  #marks = 0;

  private constructor(machine: Machine) {
    this.#machine = machine;
  }

  static async set(machine: Machine): Promise<Canaries> {
    const { onDisk, inMemory } = HARD_LINKED;
    await machine.sh(
      `mkdir -p -m 0700 /root/canary; mkdir -p /var/canary /run/canary
       for file in ${SECRET} ${onDisk} ${inMemory}; do
         printf '[default]\\naws_access_key_id = ${CANARY}\\naws_secret_access_key = ${CANARY}\\naws_session_token = ${CANARY}\\n[more]\\na = ${CANARY}\\n' >$file; chmod 0600 $file
       done
       echo '# ${CANARY}' >${CONFIG}; : >${MARK}`,
    );
    await machine.write("/opt/watch.py", readFileSync(new URL("watch.py", import.meta.url), "utf8"));
    // From outside, for what runs inside may not use fanotify(7).
    await machine.sh(
      `setsid -f python3 /opt/watch.py ${LOG} ${UNIT} ${MARK} ${SECRET} ${CONFIG} </dev/null >/run/canary-watch.out 2>&1`,
    );
    await until(
      async () => (await machine.exec("grep", "-q", "^ready", LOG)).code === 0,
      async () => `the watch does not start: ${await machine.sh("cat /run/canary-watch.out")}`,
    );
    return new Canaries(machine);
  }

  async look(): Promise<Tree> {
    const { stdout } = await this.#machine.exec("sh", "-c", LOOK);
    const [states = "", sums = ""] = stdout.split("----\n");
    const found = new Map<string, string>();
    for (const line of states.split("\n")) {
      const [path = "", state = ""] = line.split("\t");
      if (path !== "" && path !== MARK && !NOISE.test(path)) found.set(path, state);
    }
    for (const line of sums.split("\n").filter(Boolean)) {
      const path = line.slice(66);
      if (path === MARK) continue;
      found.set(path, `${found.get(path) ?? ""} ${line.slice(0, 64)}`);
    }
    await this.#mark();
    await this.#machine.sh(`echo ready >${LOG}`);
    return found;
  }

  /** @param allowed where the commands that ran in between may write besides the places of our daily work */
  async changesSince(before: Tree, allowed: RegExp | null = null): Promise<string[]> {
    await this.#mark();
    const seen = await this.#machine.sh(`cat ${LOG}`);
    const touched = seen.split("\n").filter((line) => line !== "ready" && !line.startsWith(MARK));
    const after = await this.look();
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter((path) => {
      if (WORK.test(path) || allowed?.test(path)) return false;
      return stateOf(before, path) !== stateOf(after, path);
    });
    return [
      ...changed.map((path) => `${path}: ${before.get(path) ?? "not there"} -> ${after.get(path) ?? "gone"}`),
      ...new Set(touched.map((line) => `through a link: ${line}`)),
    ];
  }

  /** Until the watch has told of all that was done before. */
  async #mark(): Promise<void> {
    const marks = async () =>
      (await this.#machine.sh(`cat ${LOG}`)).split(`${MARK} attributes changed`).length;
    const before = await marks();
    this.#marks += 1;
    await this.#machine.sh(`touch -d @${this.#marks} ${MARK}`);
    const seen = async () => (await marks()) > before;
    await until(seen, () => "the watch tells nothing");
  }
}

/** A link more or less to a hard-linked file changes its time of change, and nothing that it holds. */
function stateOf(tree: Tree, path: string): string | undefined {
  const state = tree.get(path);
  const isHardLinked = path === HARD_LINKED.onDisk || path === HARD_LINKED.inMemory;
  return isHardLinked ? state?.split(" ").toSpliced(6, 1).join(" ") : state;
}
