/** node:path, which remembers: the same few paths are put together and taken apart millions of times. */
import path from "node:path";

export { isAbsolute, normalize, relative, resolve } from "node:path";

const SLASH = 47;

function remembering(work: (path: string) => string): (path: string) => string {
  const known = new Map<string, string>();
  return (path) => {
    let found = known.get(path);
    if (found === undefined) {
      found = work(path);
      // Temporary files have names of their own, each.
      if (known.size < 10_000) known.set(path, found);
    }
    return found;
  };
}

export const dirname = remembering(path.dirname);
export const basename = remembering((each) => path.basename(each));

/** Two plain parts need no more than a slash between them. */
export function join(...parts: string[]): string {
  const [first, second] = parts;
  const isPlain =
    parts.length === 2 &&
    first?.charCodeAt(0) === SLASH &&
    first.charCodeAt(first.length - 1) !== SLASH &&
    second !== undefined &&
    second.length > 2 &&
    !second.includes("/") &&
    !first.includes("/.");
  return isPlain ? `${first}/${second}` : path.join(...parts);
}
