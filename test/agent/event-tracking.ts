/**
 * The files that say which lifecycle events are in progress: one for each, named by its deployment, holding the
 * host command identifier (`deployment_command_tracker.rb`).
 *
 * A worker that finds one when it starts takes it that its predecessor died during the event.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export class EventTracking {
  readonly #directory: string;
  readonly #staleAfterMs: number;

  /** @param staleAfterMs 24 h in the original: an older file is deleted and not reported */
  constructor(directory: string, staleAfterMs: number) {
    this.#directory = directory;
    this.#staleAfterMs = staleAfterMs;
  }

  begin(deploymentId: string, hostCommandIdentifier: string): void {
    mkdirSync(this.#directory, { recursive: true });
    writeFileSync(join(this.#directory, deploymentId), hostCommandIdentifier);
  }

  end(deploymentId: string): void {
    try {
      unlinkSync(join(this.#directory, deploymentId));
    } catch {
      // The original only logs a warning: a worker started meanwhile may have removed the whole directory.
    }
  }

  /** The host command of the newest file that is not stale; stale ones are deleted on the way. */
  leftOver(nowMs: number): string | undefined {
    let newest: { path: string; modifiedMs: number } | undefined;
    for (const path of this.#files()) {
      const modifiedMs = statSync(path).mtimeMs;
      if (nowMs - modifiedMs > this.#staleAfterMs) unlinkSync(path);
      else if (!newest || modifiedMs > newest.modifiedMs) newest = { path, modifiedMs };
    }
    return newest && readFileSync(newest.path, "utf8");
  }

  clear(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #files(): string[] {
    try {
      return readdirSync(this.#directory).map((name) => join(this.#directory, name));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
      throw error;
    }
  }
}
