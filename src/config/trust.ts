/**
 * A service does what its config says, with the rights it has: whoever can write the file has those rights.
 */
import { lstatSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";

const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/** @returns why others than root may change what `path` says, or null when they may not */
export function whoElseMayWrite(path: string): string | null {
  const target = realpathSync(path);
  const link = lstatSync(path);
  if (link.isSymbolicLink() && link.uid !== 0) return `the link ${path} belongs to user ${link.uid}`;
  const directories = [...new Set([dirname(path), dirname(target)])];
  return (
    writableBy(target, statSync(target), false) ??
    directories.map((directory) => writableBy(directory, statSync(directory), true)).find(Boolean) ??
    null
  );
}

function writableBy(path: string, { uid, gid, mode }: Stats, isDirectory: boolean): string | null {
  const octal = (mode & 0o7777).toString(8).padStart(4, "0");
  if (uid !== 0) return `${path} belongs to user ${uid}; it must belong to root`;
  // In a sticky directory nobody can replace another user's file.
  if (isDirectory && mode & STICKY) return null;
  if (mode & OTHERS_WRITE) return `${path} may be written by everyone (mode ${octal})`;
  if (mode & GROUP_WRITE && gid !== 0) return `${path} may be written by group ${gid} (mode ${octal})`;
  return null;
}
