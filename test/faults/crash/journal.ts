/**
 * What was tried and found well, so that a campaign that was interrupted goes on where it stopped. It holds for one
 * program and one campaign: any change of either begins a new one.
 */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { programText } from "./program.ts";

const CAMPAIGN = fileURLToPath(new URL(".", import.meta.url));
const KEPT_IN = fileURLToPath(new URL("../../../build/faults", import.meta.url));

const NAMED = /^(\S+)\t(.*)$/;

export class Journal {
  readonly #file: string | null;
  readonly #done = new Set<string>();
  readonly #whole = new Map<string, number>();
  #earlierSeconds = 0;

  private constructor(file: string | null) {
    this.#file = file;
    if (file === null || !existsSync(file)) return;
    for (const line of readFileSync(file, "utf8").split("\n")) {
      const [, kind, what = ""] = NAMED.exec(line) ?? [];
      if (kind === "done") this.#done.add(what);
      const [, count, scope] = (kind === "whole" && /^(\d+) (.*)$/.exec(what)) || [];
      if (scope !== undefined) this.#whole.set(scope, Number(count));
      if (kind === "seconds") this.#earlierSeconds += Number(what);
    }
  }

  static ofThisProgram(): Journal {
    const hash = createHash("sha256").update(programText());
    for (const name of readdirSync(CAMPAIGN).sort()) hash.update(readFileSync(join(CAMPAIGN, name)));
    mkdirSync(KEPT_IN, { recursive: true });
    return new Journal(join(KEPT_IN, `crash-${hash.digest("hex").slice(0, 16)}.log`));
  }

  /** For a part of the campaign, which is short enough to begin anew. */
  static none(): Journal {
    return new Journal(null);
  }

  get earlierSeconds(): number {
    return this.#earlierSeconds;
  }

  isDone(scope: string, what: string): boolean {
    return this.#done.has(`${scope}: ${what}`);
  }

  done(scope: string, what: string): void {
    this.#done.add(`${scope}: ${what}`);
    this.#write("done", `${scope}: ${what}`);
  }

  /** How many were tried of a scope that is done as a whole; null before. */
  wholeOf(scope: string): number | null {
    return this.#whole.get(scope) ?? null;
  }

  whole(scope: string, count: number): void {
    this.#write("whole", `${count} ${scope}`);
  }

  seconds(count: number): void {
    this.#write("seconds", count.toFixed(0));
  }

  #write(kind: string, what: string): void {
    if (this.#file !== null) appendFileSync(this.#file, `${kind}\t${what.replaceAll("\n", " ")}\n`);
  }
}
