/**
 * The metrics' file: what is counted, and the file kept in step with it. Nothing waits for it: a disk that is full,
 * read-only or hangs costs the metrics and nothing else.
 */
import { unlink } from "node:fs/promises";
import { errorCode, errorText } from "../failure.ts";
import { replaceFile } from "../host/atomic-file.ts";
import { renderMetrics } from "./metrics.ts";
import type { Status } from "./status.ts";
import { Tally } from "./tally.ts";

const LAST_WRITE_LIMIT_MS = 2_000;

/** Told of each attempt to write: what went wrong, or null. */
export type MetricsTold = (file: string, error: string | null) => void;

export class MetricsFile {
  readonly #tally = new Tally();
  readonly #told: MetricsTold;
  #path: string | null = null;
  #written = "";
  #writing: Promise<void> | null = null;

  constructor(told: MetricsTold) {
    this.#told = told;
  }

  /** A refresh has ended. */
  refreshed(outcome: Parameters<Tally["refreshed"]>[0]): void {
    this.#tally.refreshed(outcome);
  }

  /**
   * Writes what changed, in the background, one write at a time; what changes meanwhile goes with the next report.
   *
   * @param path null for none: what was written under another name is then removed
   */
  report(path: string | null, status: Status): void {
    this.#tally.observe(status);
    if (this.#writing !== null || (path === null && this.#path === null)) return;
    const content = path === null ? "" : renderMetrics(status, this.#tally);
    if (path === this.#path && content === this.#written) return;
    this.#writing = this.#write(path, content).finally(() => {
      this.#writing = null;
    });
  }

  /** The last word. A disk that hangs is not waited for. */
  async finish(path: string | null, status: Status): Promise<void> {
    await this.#settled();
    this.report(path, status);
    await this.#settled();
  }

  async #settled(): Promise<void> {
    if (this.#writing === null) return;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_WRITE_LIMIT_MS);
    });
    await Promise.race([this.#writing, limit]);
    clearTimeout(timer);
  }

  async #write(path: string | null, content: string): Promise<void> {
    // Else the exporter would go on telling of a service that no longer writes there.
    if (this.#path !== null && this.#path !== path) await unlink(this.#path).catch(() => undefined);
    this.#path = path;
    if (path === null) return;
    try {
      await replaceFile(path, content, { mode: 0o644 });
      this.#written = content;
      this.#told(path, null);
    } catch (error) {
      this.#written = "";
      this.#told(path, errorCode(error) ?? errorText(error));
    }
  }
}
