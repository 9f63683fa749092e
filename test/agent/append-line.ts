/** Lines appended to a file that nobody may die for: Ruby's Logger, too, warns of a full disk and goes on. */
import { appendFileSync } from "node:fs";

const cut = new Set<string>();

export function appendLine(path: string, line: string): void {
  try {
    // The start of a line that the disk had no room for must not become the start of this one.
    appendFileSync(path, `${cut.has(path) ? "\n" : ""}${line}\n`);
    cut.delete(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    cut.add(path);
  }
}
