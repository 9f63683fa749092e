/**
 * dist/ in a place of the campaign's own, whose Node is exchanged for child.sh once `run` has started: from then on
 * `run`, which stays what it is, starts that script wherever it starts a child.
 */
import { chmodSync, cpSync, linkSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { COMMAND } from "../../harness/launch.ts";

const DIST = dirname(COMMAND);
const CHILD = fileURLToPath(new URL("child.sh", import.meta.url));

export class Installation {
  readonly #directory: string;
  readonly #node: string;

  /** @param directory a new one, of the campaign's own */
  constructor(directory: string) {
    this.#directory = directory;
    this.#node = join(directory, "node");
    cpSync(DIST, directory, { recursive: true, filter: (path) => path !== join(DIST, "node") });
    // A link and not a symbolic one, which would be followed before `run` looks for its own place.
    try {
      linkSync(join(DIST, "node"), this.#node);
    } catch {
      cpSync(join(DIST, "node"), this.#node);
    }
  }

  get command(): string {
    return join(this.#directory, "idc-helper");
  }

  /** @param port where {@link RefreshDoor} listens */
  exchangeNode(port: number): void {
    const text = readFileSync(CHILD, "utf8")
      .replaceAll("@node@", join(DIST, "node"))
      .replaceAll("@port@", String(port));
    const aside = `${this.#node}.new`;
    writeFileSync(aside, text);
    chmodSync(aside, 0o755);
    renameSync(aside, this.#node);
  }
}
