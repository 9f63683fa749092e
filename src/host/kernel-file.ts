/** Short files of the kernel, in /proc and /sys: read at once, and never beyond a bound, whatever was mounted there. */
import { closeSync, constants, openSync, readSync, statSync } from "node:fs";

/**
 * @returns its text without white space around it; null where it cannot be read, or is longer, or no regular file
 */
export function readKernelFile(path: string, { maxBytes }: { maxBytes: number }): string | null {
  try {
    // Before it is opened: of some devices the opening alone has an effect.
    if (!statSync(path).isFile()) return null;
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(maxBytes + 1);
      const length = readSync(descriptor, buffer);
      return length > maxBytes ? null : buffer.toString("utf8", 0, length).trim();
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return null;
  }
}
