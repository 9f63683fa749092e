/**
 * Replaces a file in one step: a reader, a crash or a power cut finds the old content or the new, never a part.
 *
 * Both renames in this field's usual scripts are missing: they truncate and rewrite, and a reader beside them
 * sees a torn file most of the time (FACTS, last paragraph).
 */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errorCode } from "../failure.ts";

export interface Ownership {
  mode: number;
  /** Group id to hand the file to; null keeps the writer's own. */
  groupId?: number | null;
  /** User id to hand the file to (root only); null keeps the writer's own. */
  userId?: number | null;
}

/**
 * A file that will replace `path`; nothing of it is visible under that name before {@link AtomicFile.commit}.
 *
 * Whoever makes one is the only writer of `path`, by a lock or because it is the only such process: what killed
 * writers left beside it is removed first.
 */
export class AtomicFile {
  readonly path: string;
  readonly #temporaryPath: string;
  readonly #file: FileHandle;

  private constructor(path: string, temporaryPath: string, file: FileHandle) {
    this.path = path;
    this.#temporaryPath = temporaryPath;
    this.#file = file;
  }

  /**
   * Creates the temporary file beside `path`, already with its final owner, group and mode: from its first
   * byte on it is as private as what it replaces.
   *
   * @throws the system error (missing directory, no permission, no inode left)
   */
  static async create(path: string, { mode, groupId = null, userId = null }: Ownership): Promise<AtomicFile> {
    await removeLeftovers(path);
    const name = `${temporaryPrefix(path)}${process.pid}.${randomBytes(6).toString("hex")}`;
    const temporaryPath = join(dirname(path), name);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file = await open(temporaryPath, flags, 0o600);
    try {
      // Not where it is right already: the service's sandbox has no chown(2) at all, and its unit's own group does.
      const made = await file.stat();
      const isOthers = (userId ?? made.uid) !== made.uid || (groupId ?? made.gid) !== made.gid;
      if (isOthers) await file.chown(userId ?? -1, groupId ?? -1);
      await file.chmod(mode);
    } catch (error) {
      await discard(file, temporaryPath);
      throw error;
    }
    return new AtomicFile(path, temporaryPath, file);
  }

  /**
   * Writes, syncs and renames. On any error the old file is untouched and the temporary one is gone.
   *
   * @param path another name in the same directory: a copy beside the file, whole or not there
   */
  async commit(content: string | Buffer, path = this.path): Promise<void> {
    try {
      await this.#file.writeFile(content);
      await this.#file.sync();
      await this.#file.close();
      await rename(this.#temporaryPath, path);
    } catch (error) {
      await this.abandon();
      throw error;
    }
    await syncDirectory(dirname(this.path));
  }

  async abandon(): Promise<void> {
    await discard(this.#file, this.#temporaryPath);
  }
}

export async function replaceFile(path: string, content: string, ownership: Ownership): Promise<void> {
  const file = await AtomicFile.create(path, ownership);
  await file.commit(content);
}

async function removeLeftovers(path: string): Promise<void> {
  const directory = dirname(path);
  const prefix = temporaryPrefix(path);
  for (const name of await entriesOf(directory)) {
    if (!name.startsWith(prefix) || !/^\d+\.[0-9a-f]{12}$/.test(name.slice(prefix.length))) continue;
    const leftover = join(directory, name);
    if ((await lstat(leftover)).isFile()) await unlink(leftover);
  }
}

/** None where the directory may be written but not listed. */
async function entriesOf(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errorCode(error) === "EACCES") return [];
    throw error;
  }
}

function temporaryPrefix(path: string): string {
  return `.${basename(path)}.tmp.`;
}

async function discard(file: FileHandle, temporaryPath: string): Promise<void> {
  await file.close().catch(() => undefined);
  await unlink(temporaryPath).catch(() => undefined);
}

/** A rename survives a power cut only once its directory is on disk. */
async function syncDirectory(directory: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    // A directory that may be written but not listed (0730, the requests') cannot be opened for reading.
    if (errorCode(error) === "EACCES") return;
    throw error;
  }
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems (FUSE, network) know no sync of a directory; the rename itself has been done.
    if (!["EINVAL", "ENOTSUP", "ENOSYS"].includes(errorCode(error) ?? "")) throw error;
  } finally {
    await handle.close();
  }
}
