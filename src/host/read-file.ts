/**
 * Reading files that somebody else may have put in place: never through a link, never something that is no
 * regular file (a FIFO would hang us), never more than a bound.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, stat } from "node:fs/promises";
import { errorCode } from "../failure.ts";

export class UnsafeFileError extends Error {
  readonly code: "ELOOP" | "ENOTREG" | "EFBIG";

  constructor(code: "ELOOP" | "ENOTREG" | "EFBIG", message: string) {
    super(message);
    this.code = code;
  }
}

const PIECE = 16 * 1_024;

export interface ReadOptions {
  /** Largest size accepted, in bytes. */
  maxBytes: number;
  /** Whether a symbolic link in the last component is followed; default false. */
  followLink?: boolean;
}

/**
 * @returns the file's bytes
 * @throws the system error, or UnsafeFileError for a link, a special file or one beyond `maxBytes`
 */
export async function readBytes(
  path: string,
  { maxBytes, followLink = false }: ReadOptions,
): Promise<Buffer> {
  const file = await openUnlinked(path, followLink);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new UnsafeFileError("ENOTREG", `${path} is not a regular file`);
    // Read to the end rather than trusting st_size: the file may grow meanwhile, and /proc reports 0.
    const chunks: Buffer[] = [];
    for (let length = 0; ; ) {
      const chunk = Buffer.alloc(Math.min(maxBytes - length + 1, Math.max(found.size + 1, 4_096)));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, bytesRead));
      length += bytesRead;
      if (length > maxBytes) throw new UnsafeFileError("EFBIG", `${path} is larger than ${maxBytes} bytes`);
    }
  } finally {
    await file.close();
  }
}

/**
 * The SHA-256 of a file that holds secrets, in hexadecimal. They stay nowhere in memory: they go through one buffer,
 * which is wiped.
 *
 * @throws as {@link readBytes}
 */
export async function hashSecretFile(
  path: string,
  { maxBytes, followLink = false }: ReadOptions,
): Promise<string> {
  const file = await openUnlinked(path, followLink);
  const piece = Buffer.allocUnsafeSlow(PIECE);
  try {
    if (!(await file.stat()).isFile()) throw new UnsafeFileError("ENOTREG", `${path} is not a regular file`);
    const hash = createHash("sha256");
    for (let length = 0; ; ) {
      const { bytesRead } = await file.read(piece, 0, piece.length, null);
      if (bytesRead === 0) return hash.digest("hex");
      hash.update(piece.subarray(0, bytesRead));
      length += bytesRead;
      if (length > maxBytes) throw new UnsafeFileError("EFBIG", `${path} is larger than ${maxBytes} bytes`);
    }
  } finally {
    piece.fill(0);
    await file.close();
  }
}

async function openUnlinked(path: string, followLink: boolean): Promise<FileHandle> {
  // Of some devices the opening alone has an effect (a watchdog reboots the host, a tape winds back).
  const before = await (followLink ? stat : lstat)(path).catch(() => null);
  if (before?.isCharacterDevice() || before?.isBlockDevice())
    throw new UnsafeFileError("ENOTREG", `${path} is not a regular file`);
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (followLink ? 0 : constants.O_NOFOLLOW);
  return open(path, flags).catch((error: unknown) => {
    if (errorCode(error) === "ELOOP") throw new UnsafeFileError("ELOOP", `${path} is a symbolic link`);
    throw error;
  });
}

export async function readText(path: string, options: ReadOptions): Promise<string> {
  return (await readBytes(path, options)).toString("utf8");
}

/** As {@link readText}, with null for a file that is not there. */
export async function readTextIfPresent(path: string, options: ReadOptions): Promise<string | null> {
  try {
    return await readText(path, options);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  }
}
