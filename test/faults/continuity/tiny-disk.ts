/** A tiny file system that can be filled to the last block, where one may be mounted. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../readers/external-process.ts";

const SIZE_KIB = 64;
const BLOCK_BYTES = 4_096;

/** @returns what `use` does with the directory; it is given null where nobody lets us mount */
export async function withTinyDisk<Result>(
  directory: string,
  use: (full: TinyDisk | null) => Promise<Result>,
): Promise<Result> {
  const at = mkdtempSync(join(directory, "tiny-"));
  const options = ["-t", "tmpfs", "-o", `size=${SIZE_KIB}k`, "tmpfs", at];
  const { exitCode } = await run("mount", options, process.env).catch(() => ({ exitCode: 1 }));
  if (exitCode !== 0) return use(null);
  try {
    return await use({ directory: at, fill: () => fill(at) });
  } finally {
    await run("umount", [at], process.env);
  }
}

export interface TinyDisk {
  directory: string;
  /** Leaves no block free. @returns what makes room again */
  fill(): () => void;
}

function fill(directory: string): () => void {
  const path = join(directory, "filler");
  writeFileSync(path, "");
  for (;;) {
    try {
      writeFileSync(path, Buffer.alloc(BLOCK_BYTES), { flag: "a" });
    } catch {
      return () => rmSync(path);
    }
  }
}
