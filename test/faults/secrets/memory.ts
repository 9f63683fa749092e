/** The memory of a running process, every readable byte of it, searched for secrets. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { searchPieces } from "./file-search.ts";
import type { Sighting } from "./forms.ts";

export interface MemorySearch {
  sightings: Sighting[];
  mappings: number;
  bytes: number;
  /** Of them, those that the kernel gives to nobody. */
  unreadable: number;
}

/** The kernel's own pages, which every process has. */
const KERNEL = /\[(?:vvar|vvar_vclock|vsyscall)\]$/;
const PAGE = 4_096;

/** @throws where we may not read it: another user's, or none any more */
export function searchMemory(pid: number): MemorySearch {
  const mappings = readableMappings(pid);
  const descriptor = openSync(`/proc/${pid}/mem`, "r");
  const found: MemorySearch = { sightings: [], mappings: mappings.length, bytes: 0, unreadable: 0 };
  try {
    for (const { start, length } of mappings) {
      const sightings = searchPieces((buffer, position) => {
        const wanted = Math.min(buffer.length, length - position);
        return wanted <= 0
          ? 0
          : readAt(descriptor, buffer.subarray(0, wanted), start + BigInt(position), found);
      });
      found.sightings.push(...sightings);
      found.bytes += length;
    }
  } finally {
    closeSync(descriptor);
  }
  return found;
}

/** Page by page where a whole piece cannot be read; what cannot is left zero. */
function readAt(descriptor: number, buffer: Buffer, start: bigint, found: MemorySearch): number {
  try {
    const length = readSync(descriptor, buffer, 0, buffer.length, start);
    if (length === buffer.length) return length;
  } catch {
    // Below.
  }
  for (let at = 0; at < buffer.length; at += PAGE) {
    const page = buffer.subarray(at, at + PAGE);
    try {
      readSync(descriptor, page, 0, page.length, start + BigInt(at));
    } catch {
      page.fill(0);
      found.unreadable += page.length;
    }
  }
  return buffer.length;
}

/** One of which nothing is in memory or swapped out holds nothing but zeros, or a file's own bytes. */
function readableMappings(pid: number): { start: bigint; length: number }[] {
  const all = readFileSync(`/proc/${pid}/smaps`, "utf8").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  return all.flatMap((mapping) => {
    const [, from, to, mode = ""] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(mapping) ?? [];
    const [head = ""] = mapping.split("\n");
    if (from === undefined || to === undefined || !mode.startsWith("r") || KERNEL.test(head)) return [];
    if (!/^(?:Rss|Swap): +[1-9]/m.test(mapping)) return [];
    const start = BigInt(`0x${from}`);
    return [{ start, length: Number(BigInt(`0x${to}`) - start) }];
  });
}

/** Whether that text is in it: that we do read what a process holds. */
export function memoryHolds(pid: number, text: string): boolean {
  const descriptor = openSync(`/proc/${pid}/mem`, "r");
  const found: MemorySearch = { sightings: [], mappings: 0, bytes: 0, unreadable: 0 };
  try {
    return readableMappings(pid).some(({ start, length }) => {
      const buffer = Buffer.alloc(length);
      readAt(descriptor, buffer, start, found);
      return buffer.includes(text);
    });
  } finally {
    closeSync(descriptor);
  }
}
