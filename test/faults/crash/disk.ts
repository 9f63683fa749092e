/** A file system in an image: made, mounted, its block writes recorded, and put together anew as a power cut leaves it. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const BLOCK_LOG = fileURLToPath(new URL("block-log.ts", import.meta.url));
/** What a disk writes in one piece; anything longer may be cut within. */
const BLOCK = 4_096;
const UNMOUNT_LIMIT_MS = 120_000;
const MIB = 1_048_576;

/** XFS makes nothing smaller; images are sparse. */
const SIZES = { ext4: 16 * MIB, xfs: 300 * MIB } as const;
export type FileSystem = keyof typeof SIZES;

export function makeFileSystem(kind: FileSystem, image: string): void {
  writeFileSync(image, "");
  truncateSync(image, SIZES[kind]);
  execFileSync(`mkfs.${kind}`, kind === "ext4" ? ["-q", "-F", image] : ["-q", "-f", image]);
}

/** What happens to a file system while it is mounted at a directory; as its owner would find it, read and write. */
export async function onMounted<T>(image: string, at: string, work: () => Promise<T>): Promise<T> {
  execFileSync("mount", ["-o", "loop", image, at], { stdio: ["ignore", "ignore", "pipe"] });
  try {
    return await work();
  } finally {
    await unmount(at);
  }
}

/** What looks at every new device of the machine may have it open for a moment longer than we do. */
async function unmount(at: string): Promise<void> {
  const deadline = performance.now() + UNMOUNT_LIMIT_MS;
  for (;;) {
    const { status, stderr } = spawnSync("umount", [at], { encoding: "utf8" });
    if (status === 0) return;
    if (!/busy/.test(stderr) || performance.now() > deadline) throw new Error(stderr);
    await sleep(50);
  }
}

interface Entry {
  isFlush: boolean;
  offset: number;
  data: Buffer;
}

export interface Recorded<T> {
  result: T;
  entries: Entry[];
  /** How many entries were there when the work had ended: all that it reported as done must be in them. */
  acknowledged: number;
}

/** The same, with each write that reaches the disk noted. */
export async function recordWrites<T>(
  kind: FileSystem,
  image: string,
  at: string,
  work: () => Promise<T>,
): Promise<Recorded<T>> {
  const [shown, log] = [`${image}.shown`, `${image}.log`];
  for (const file of [shown, log]) writeFileSync(file, "");
  // It ends with us, however we end: what it serves would stay mounted for as long as it lives.
  const server = spawn("setpriv", ["--pdeathsig", "KILL", process.execPath, BLOCK_LOG, image, shown, log], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(server, "close");
  const [said] = await Promise.race([once(server.stdout, "data"), closed]);
  if (String(said).trim() !== "ready") throw new Error(`the writes of ${image} cannot be recorded`);
  let result: T;
  let acknowledged: number;
  const device = execFileSync("losetup", ["--find", "--show", shown], { encoding: "utf8" }).trim();
  try {
    // What nobody asks to have flushed must not get there because the machine is slow: ext4 commits every 5 s else.
    execFileSync("mount", [...(kind === "ext4" ? ["-o", "commit=300"] : []), device, at]);
    try {
      result = await work();
      acknowledged = entriesOf(log).length;
    } finally {
      await unmount(at);
    }
  } finally {
    execFileSync("losetup", ["--detach", device]);
    await unmount(shown);
    await closed;
  }
  return { result, entries: entriesOf(log), acknowledged };
}

function entriesOf(log: string): Entry[] {
  return readFileSync(log, "latin1")
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const [what, offset, data = ""] = line.split(" ");
      return { isFlush: what === "flush", offset: Number(offset), data: Buffer.from(data, "base64") };
    });
}

export interface Cut {
  what: string;
  /** Whether all that was reported as done had been flushed to the disk by then. */
  isAfterEnd: boolean;
  image: string;
}

/**
 * Every state in which a power cut can leave the disk when it keeps the order of writes, each block of a longer write
 * by itself; and, as disks with a cache do not keep it, between two flushes also every state that lacks one of the
 * writes since the first of them.
 *
 * @param base the image before the work; each cut lies in `image` until the next is asked for
 */
export function* cutsOf(
  { entries, acknowledged }: Recorded<unknown>,
  base: string,
  image: string,
): Generator<Cut> {
  const [sofar, flushed] = [`${image}.sofar`, `${image}.flushed`];
  copyImage(base, sofar);
  copyImage(base, flushed);
  let since: Entry[] = [];
  for (const [n, entry] of entries.entries()) {
    const isAfterEnd = n >= acknowledged;
    if (entry.isFlush) {
      for (const [missing, lost] of since.length > 1 ? since.entries() : []) {
        copyImage(flushed, image);
        since.forEach((write, index) => void (index === missing || apply(image, write)));
        yield {
          what: `flush ${n}, the write at ${lost.offset} lost`,
          isAfterEnd: n - since.length > acknowledged,
          image,
        };
      }
      copyImage(sofar, flushed);
      since = [];
      continue;
    }
    for (const piece of pieces(entry)) {
      copyImage(sofar, image);
      yield { what: `before entry ${n}, block ${piece.offset}`, isAfterEnd, image };
      apply(sofar, piece);
    }
    since.push(entry);
  }
  copyImage(sofar, image);
  yield { what: "after the last write", isAfterEnd: true, image };
  for (const file of [sofar, flushed]) rmSync(file);
}

/** How many cuts {@link cutsOf} has for them. */
export function countCuts({ entries }: Recorded<unknown>): number {
  let [count, since] = [1, 0];
  for (const entry of entries) {
    if (entry.isFlush) {
      count += since > 1 ? since : 0;
      since = 0;
    } else {
      count += Math.ceil(entry.data.length / BLOCK);
      since += 1;
    }
  }
  return count;
}

function* pieces({ isFlush, offset, data }: Entry): Generator<Entry> {
  for (let from = 0; from < data.length; from += BLOCK) {
    yield { isFlush, offset: offset + from, data: data.subarray(from, from + BLOCK) };
  }
}

function apply(image: string, { offset, data }: Entry): void {
  const file = openSync(image, "r+");
  writeSync(file, data, 0, data.length, offset);
  closeSync(file);
}

export function copyImage(from: string, to: string): void {
  rmSync(to, { force: true });
  execFileSync("cp", ["--sparse=always", "--reflink=auto", from, to]);
}

/**
 * Work whose temporary files, images and scratch hosts included, lie in memory: what the kernel flushes to a real disk
 * is not waited for.
 */
export async function inMemory<T>(directory: string, work: (directory: string) => Promise<T>): Promise<T> {
  const memory = join(directory, "memory");
  mkdirSync(memory);
  execFileSync("mount", ["-t", "tmpfs", "-o", "mode=0711", "memory", memory]);
  const { TMPDIR } = process.env;
  process.env.TMPDIR = memory;
  try {
    return await work(memory);
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    // Lazily: what an error left mounted in there must not hide that error.
    execFileSync("umount", ["--lazy", memory]);
  }
}
