/** node:fs/promises as far as our code uses it, on the virtual disk. */
import { constants } from "node:fs";
import { DiskError, type File } from "../disk.ts";
import { host } from "../host.ts";
import { systemCall } from "../virtual-process.ts";

class Handle {
  readonly #path: string;
  readonly #file: File | null;
  #offset = 0;

  constructor(path: string, file: File | null) {
    this.#path = path;
    this.#file = file;
  }

  async stat() {
    systemCall();
    return statOf(this.#path, this.#file);
  }

  async chmod(mode: number) {
    systemCall();
    if (this.#file) this.#file.mode = mode;
  }

  async chown() {
    systemCall();
  }

  async sync() {
    systemCall();
  }

  async writeFile(content: string | Buffer) {
    systemCall();
    if (this.#file) host.disk.write(this.#path, this.#file, Buffer.from(content));
  }

  async read(buffer: Buffer, offset: number, length: number) {
    systemCall();
    const { content } = this.#file as File;
    const bytesRead = content.copy(buffer, offset, this.#offset, this.#offset + length);
    this.#offset += bytesRead;
    return { bytesRead, buffer };
  }

  async close() {
    systemCall();
  }
}

export async function open(path: string, flags: number | string, mode = 0o666): Promise<Handle> {
  systemCall();
  const { disk } = host;
  if (disk.hasDirectory(path)) return new Handle(path, null);
  const isNew = flags === "wx" || (typeof flags === "number" && (flags & constants.O_CREAT) !== 0);
  const isExclusive = flags === "wx" || (typeof flags === "number" && (flags & constants.O_EXCL) !== 0);
  const found = disk.find(path);
  if (found !== undefined && isExclusive) throw new DiskError("EEXIST", path);
  if (found !== undefined) return new Handle(path, found);
  if (!isNew) throw new DiskError("ENOENT", path);
  return new Handle(path, disk.create(path, mode));
}

export async function rename(from: string, to: string): Promise<void> {
  systemCall();
  host.disk.rename(from, to);
}

export async function unlink(path: string): Promise<void> {
  systemCall();
  host.disk.remove(path);
}

export async function rmdir(path: string): Promise<void> {
  systemCall();
  throw new DiskError("ENOTDIR", path);
}

export async function readdir(path: string): Promise<string[]> {
  systemCall();
  return host.disk.list(path);
}

export async function opendir(path: string) {
  systemCall();
  const names = host.disk.list(path);
  return (async function* () {
    for (const name of names) yield { name };
  })();
}

export async function stat(path: string) {
  systemCall();
  return host.disk.hasDirectory(path) ? statOf(path, null) : statOf(path, host.disk.get(path));
}

export const lstat = stat;

function statOf(path: string, file: File | null) {
  return {
    uid: 0,
    gid: 0,
    size: file?.content.length ?? 0,
    mtimeMs: file?.mtimeMs ?? 0,
    ctimeMs: file?.ctimeMs ?? 0,
    ino: file?.inode ?? 0,
    mode: file?.mode ?? 0o755,
    isFile: () => file !== null,
    isDirectory: () => file === null && host.disk.hasDirectory(path),
    isCharacterDevice: () => false,
    isBlockDevice: () => false,
  };
}
