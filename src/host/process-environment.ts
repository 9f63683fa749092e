/** What a process had in its environment when it was started (proc(5)). Secrets may be in it: never shown as a whole. */
import { readFile } from "node:fs/promises";

/** @returns null where there is no such process, or it is another user's */
export async function processEnvironment(pid: number): Promise<ReadonlyMap<string, string> | null> {
  if (pid <= 0) return null;
  try {
    const entries = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
    return new Map(
      entries.flatMap((entry): [string, string][] => {
        const at = entry.indexOf("=");
        return at <= 0 ? [] : [[entry.slice(0, at), entry.slice(at + 1)]];
      }),
    );
  } catch {
    return null;
  }
}
