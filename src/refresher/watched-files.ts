/**
 * The files whose change the supervisor must notice soon. inotify tells at once; the supervisor's own tick finds
 * whatever it misses (a directory made anew, a network file system, a used-up number of watches).
 */
import { type FSWatcher, statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Writers and renames come as several events; one look after the last of them is enough. */
const SETTLE_MS = 50;

export class WatchedFiles {
  readonly #watchers: FSWatcher[] = [];
  readonly #onChange: () => void;
  #settling: NodeJS.Timeout | null = null;

  constructor(paths: readonly string[], onChange: () => void) {
    this.#onChange = onChange;
    for (const directory of new Set(paths.map((path) => dirname(path)))) {
      const names = new Set(
        paths.filter((path) => dirname(path) === directory).map((path) => basename(path)),
      );
      try {
        const watcher = watch(directory, { persistent: false }, (_, name) => {
          if (name === null || names.has(name)) this.#settle();
        });
        watcher.on("error", () => watcher.close());
        this.#watchers.push(watcher);
      } catch {
        // Found by the tick instead.
      }
    }
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    if (this.#settling) clearTimeout(this.#settling);
  }

  #settle(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = null;
      this.#onChange();
    }, SETTLE_MS);
  }
}

/** Changes when the file does; cheap enough for every tick. */
export function fingerprint(path: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch {
    return "absent";
  }
}
