/**
 * src/refresher/alarm.ts on virtual time. A tick of which nothing could be told, because nothing has happened to the
 * host since the last look, is left out; after something has, the next tick comes when it would have.
 */
import type * as original from "../../../../src/refresher/alarm.ts";
import { setTimeout as callLater, clearTimeout as forget } from "../globals.ts";
import { host } from "../host.ts";

export class Alarm implements Pick<original.Alarm, "ring" | "sleep"> {
  #wake: (() => void) | null = null;
  #isRung = false;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  async sleep(dueMs: number, tickMs: number): Promise<void> {
    if (!this.#isRung) {
      await new Promise<void>((resolve) => {
        const begun = host.time.awake;
        const due = Number.isFinite(dueMs) ? callLater(() => this.#wake?.(), dueMs) : undefined;
        let tick: ReturnType<typeof callLater> | undefined;
        // As its process: the world tells of what has happened.
        let isOver = false;
        host.onceChanged(() => {
          if (isOver) return;
          const slept = host.time.awake - begun;
          tick = callLater(() => this.#wake?.(), Math.ceil((slept + 1) / tickMs) * tickMs - slept);
        });
        const wake = () => {
          isOver = true;
          forget(due);
          forget(tick);
          resolve();
        };
        this.#wake = wake;
      });
      this.#wake = null;
    }
    this.#isRung = false;
  }
}
