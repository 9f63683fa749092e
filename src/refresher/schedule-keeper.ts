/** The instants of the schedule that are still to come, kept filled by a child that knows cron. */
import type { Instant } from "../host/clock.ts";

/** Where the next instants come from; see plan.ts. */
export type PlanAhead = () => Promise<number[]>;

export class ScheduleKeeper {
  /** Milliseconds since the epoch, ascending. */
  #instants: number[];
  /** Instants up to here, by the wall clock, are dealt with. */
  #dealtWithMs: number;
  #isPlanning = false;
  readonly #onPlanned: () => void;
  readonly #onError: (error: unknown) => void;

  constructor(instants: number[], startMs: number, { onPlanned, onError }: KeeperEvents) {
    this.#instants = instants;
    this.#dealtWithMs = startMs;
    this.#onPlanned = onPlanned;
    this.#onError = onError;
  }

  /** The next instant on the boot clock, perhaps past already; null while it is not known. */
  nextBootMs({ wallMs, bootMs }: Instant): number | null {
    const next = this.#instants.find((instant) => instant > this.#dealtWithMs);
    return next === undefined ? null : bootMs + next - wallMs;
  }

  /** A refresh that starts now stands for every instant up to now. */
  dealtWith(wallMs: number): void {
    this.#dealtWithMs = Math.max(this.#dealtWithMs, wallMs);
  }

  replace(instants: number[], wallMs: number): void {
    this.#instants = instants;
    this.#dealtWithMs = wallMs;
  }

  /**
   * Works the instants out anew. They are wall-clock times: after a step of the clock the old ones mean nothing,
   * and what the step jumped over is no refresh that was missed.
   */
  async plan(wallMs: number, planAhead: PlanAhead): Promise<void> {
    if (this.#isPlanning) return;
    this.#isPlanning = true;
    try {
      this.replace(await planAhead(), wallMs);
      this.#onPlanned();
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#isPlanning = false;
    }
  }
}

export interface KeeperEvents {
  onPlanned: () => void;
  onError: (error: unknown) => void;
}
