/** A scratch directory as a command left it, and back to how it was before. */
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Everything in it with its mode, as far as the command's next run could tell: without times, process ids, random names.
 *
 * @param names what to call parts that are never the same twice: `[the text, "newest session"]`
 */
export function stateOfDirectory(directory: string, names: readonly (readonly [string, string])[]): string {
  const said = (text: string) =>
    names
      .reduce((sofar, [part, name]) => sofar.replaceAll(part, name), text)
      .replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{12,64}/g, "HEX")
      .replace(/\d+/g, "N");
  const entries = readdirSync(directory, { withFileTypes: true, recursive: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    const mode = (lstatSync(path).mode & 0o7777).toString(8);
    return [said(path), mode, entry.isFile() ? said(readFileSync(path, "utf8")) : "(no file)"];
  });
  return JSON.stringify(entries.toSorted());
}

/** A copy of a directory, to bring it back from as often as is wanted. */
export class KeptDirectory {
  readonly #directory: string;
  readonly #copy = mkdtempSync(join(tmpdir(), "idc-kept-"));

  constructor(directory: string) {
    this.#directory = directory;
    cpSync(directory, this.#copy, { recursive: true });
  }

  restore(): void {
    const { mode } = lstatSync(this.#directory);
    rmSync(this.#directory, { recursive: true });
    mkdirSync(this.#directory, { mode: mode & 0o7777 });
    cpSync(this.#copy, this.#directory, { recursive: true });
  }

  remove(): void {
    rmSync(this.#copy, { recursive: true });
  }
}
