/** What a process holds, as /proc tells it, and where it has an inspector, as it tells itself. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf } from "../../harness/processes.ts";

/** Memory that nobody else has: what it would give back if it ended, in KiB. */
export function privateMemoryKiB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const sizes = [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)];
  if (sizes.length !== 2) throw new Error(`smaps_rollup of ${pid} is not as expected:\n${text}`);
  return sizes.reduce((sum, [, size]) => sum + Number(size), 0);
}

export interface Held {
  /** Kinds of descriptors, such as `socket` and `anon_inode:inotify`, sorted, one for each. */
  descriptors: string[];
  children: number;
  threads: number;
}

function holdings(pid: number): Held {
  const directory = `/proc/${pid}/fd`;
  const descriptors = readdirSync(directory).flatMap((name) => {
    try {
      return [readlinkSync(`${directory}/${name}`).replace(/:?\[.*\]$/, "")];
    } catch {
      return [];
    }
  });
  const threads = readdirSync(`/proc/${pid}/task`).length;
  return { descriptors: descriptors.sort(), children: childrenOf(pid).length, threads };
}

const LOOKS = 400;

/** The least that it held within some seconds: between two refreshes, when none of them is under way. */
export async function heldAtRest(pid: number): Promise<Held> {
  let least = holdings(pid);
  for (let look = 0; look < LOOKS; look += 1) {
    await sleep(5);
    const held = holdings(pid);
    const isLess =
      held.children < least.children ||
      (held.children === least.children && held.descriptors.length < least.descriptors.length);
    if (isLess) least = held;
  }
  return least;
}
