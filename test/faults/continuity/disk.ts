/** The virtual host's files: what system calls read and write. A full disk takes no byte; /run is memory. */
import { basename, dirname } from "./replaced/path.ts";

export interface File {
  content: Buffer;
  mode: number;
  inode: number;
  /** By the host's wall clock, in milliseconds since the epoch. */
  mtimeMs: number;
  ctimeMs: number;
}

export type Watcher = (directory: string, name: string) => void;

export class DiskError extends Error {
  readonly code: string;

  constructor(code: string, path: string) {
    super(`${code}: ${path}`);
    this.code = code;
  }
}

export class Disk {
  readonly #files = new Map<string, File>();
  readonly #directories = new Map<string, Set<string>>();
  readonly #wallMs: () => number;
  #inodes = 0;
  /** Full: every byte that is written outside of /run is refused. */
  isFull = false;
  /** What fills it goes on and takes every block that becomes free. */
  isFilling = false;
  onChange: Watcher = () => undefined;

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  makeDirectory(path: string): void {
    if (!this.#directories.has(path)) this.#directories.set(path, new Set());
  }

  hasDirectory(path: string): boolean {
    return this.#directories.has(path);
  }

  find(path: string): File | undefined {
    return this.#files.get(path);
  }

  get(path: string): File {
    const file = this.#files.get(path);
    if (file === undefined) throw new DiskError("ENOENT", path);
    return file;
  }

  list(directory: string): string[] {
    const names = this.#directories.get(directory);
    if (names === undefined) throw new DiskError("ENOENT", directory);
    return [...names];
  }

  create(path: string, mode: number): File {
    const now = this.#wallMs();
    const file: File = { content: Buffer.alloc(0), mode, inode: ++this.#inodes, mtimeMs: now, ctimeMs: now };
    this.#link(path, file);
    return file;
  }

  write(path: string, file: File, content: Buffer): void {
    if (this.isFull && !path.startsWith("/run/")) throw new DiskError("ENOSPC", path);
    file.content = content;
    file.mtimeMs = this.#wallMs();
    file.ctimeMs = file.mtimeMs;
    this.#changed(path);
  }

  rename(from: string, to: string): void {
    const file = this.get(from);
    this.remove(from);
    file.ctimeMs = this.#wallMs();
    this.#link(to, file);
  }

  remove(path: string): void {
    if (!this.#files.delete(path)) throw new DiskError("ENOENT", path);
    this.#directories.get(dirname(path))?.delete(basename(path));
    this.#changed(path);
  }

  /** A reboot: what lies in memory is gone. */
  forgetMemory(): void {
    for (const path of [...this.#files.keys()]) if (path.startsWith("/run/")) this.remove(path);
  }

  /** For whoever is not bound by permissions and quotas: an operator, another program. */
  put(path: string, content: string | Buffer, mode = 0o644): void {
    const wasFull = this.isFull;
    this.isFull = false;
    const file = this.#files.get(path) ?? this.create(path, mode);
    this.write(path, file, Buffer.from(content));
    this.isFull = wasFull;
  }

  #link(path: string, file: File): void {
    const names = this.#directories.get(dirname(path));
    if (names === undefined) throw new DiskError("ENOENT", path);
    names.add(basename(path));
    this.#files.set(path, file);
    this.#changed(path);
  }

  #changed(path: string): void {
    this.onChange(dirname(path), basename(path));
  }
}
