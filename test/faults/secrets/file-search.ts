/** Files searched for secrets, whole directories at a time. */
import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { LONGEST_FORM, type Sighting, sightingsIn } from "./forms.ts";

const PIECE = 4 * 1_024 * 1_024;

export interface FileSighting {
  path: string;
  sightings: Sighting[];
}

/** Regular files below a directory, links not followed, other file systems included. */
export function filesBelow(directory: string, isLeftOut: (path: string) => boolean = () => false): string[] {
  if (!existsSync(directory) || isLeftOut(directory)) return [];
  return entriesOf(directory).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return filesBelow(path, isLeftOut);
    return entry.isFile() && !isLeftOut(path) ? [path] : [];
  });
}

/** What goes while we look holds nothing any more. */
function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

export function secretFiles(paths: readonly string[]): FileSighting[] {
  return paths.flatMap((path) => {
    const sightings = sightingsInFile(path);
    return sightings.length === 0 ? [] : [{ path, sightings }];
  });
}

export function sightingsInFile(path: string): Sighting[] {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return [];
  }
  try {
    if (!fstatSync(descriptor).isFile()) return [];
    return searchPieces((buffer, position) => readSync(descriptor, buffer, 0, buffer.length, position));
  } finally {
    closeSync(descriptor);
  }
}

/**
 * What is too large to be held at once, a piece at a time; pieces overlap.
 *
 * @param read fills the buffer from that position on. @returns how many bytes; 0 at the end
 */
export function searchPieces(read: (buffer: Buffer, position: number) => number): Sighting[] {
  const buffer = Buffer.allocUnsafe(PIECE);
  const found = new Map<string, Sighting>();
  for (let position = 0; ; ) {
    const length = read(buffer, position);
    for (const { at, ...rest } of sightingsIn(buffer.subarray(0, length))) {
      const sighting = { ...rest, at: position + at };
      found.set(`${sighting.form} ${sighting.at}`, sighting);
    }
    if (length < PIECE) break;
    position += length - LONGEST_FORM;
  }
  // The search itself leaves nothing behind that a later look at our own memory would find.
  buffer.fill(0);
  return [...found.values()];
}
