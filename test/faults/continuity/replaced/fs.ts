/** node:fs as far as our code uses it, on the virtual disk. */
import { host } from "../host.ts";
import { asRunning, systemCall } from "../virtual-process.ts";

export { constants } from "node:fs";

export function statSync(path: string, { throwIfNoEntry = true } = {}) {
  systemCall();
  const { disk } = host;
  if (disk.hasDirectory(path))
    return { isFile: () => false, isDirectory: () => true, ino: 0, size: 0, mtimeMs: 0, ctimeMs: 0 };
  const file = throwIfNoEntry ? disk.get(path) : disk.find(path);
  if (file === undefined) return undefined;
  const { inode, content, mtimeMs, ctimeMs } = file;
  return { isFile: () => true, isDirectory: () => false, ino: inode, size: content.length, mtimeMs, ctimeMs };
}

export const lstatSync = statSync;

/** Nothing on this disk is a link. */
export const realpathSync = (path: string): string => path;

export function existsSync(path: string): boolean {
  systemCall();
  return host.disk.hasDirectory(path) || host.disk.find(path) !== undefined;
}

export function readFileSync(path: string): string {
  systemCall();
  return host.disk.get(path).content.toString("utf8");
}

/** inotify on a directory; of the same thing twice, with nobody having looked in between, it tells once. */
export function watch(directory: string, _options: object, listener: (event: string, name: string) => void) {
  systemCall();
  const waiting = new Set<string>();
  const deliver = asRunning((name: string) => listener("change", name));
  const close = host.watch(directory, (name) => {
    if (waiting.has(name)) return;
    waiting.add(name);
    // Whoever listens does no more at once than to set a timer.
    host.time.after(0, () => {
      waiting.delete(name);
      deliver(name);
    });
  });
  return { on: () => undefined, close };
}
