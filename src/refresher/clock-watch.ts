/**
 * Watches for steps of the wall clock and for sleep, and remembers the steps back across restarts of the
 * service: the agent's next read is delayed by each of them.
 */
import { replaceFile } from "../host/atomic-file.ts";
import { type ClockChange, clockChange, type Instant, isTimeMs } from "../host/clock.ts";
import { readTextIfPresent } from "../host/read-file.ts";
import type { StepBack } from "./pickup.ts";

interface Saved {
  bootId: string;
  /** Wall clock minus boot clock: constant but for steps and slewing. */
  offsetMs: number;
  stepsBack: StepBack[];
}

/** Steps whose delay has passed this long ago can no longer matter: a session lasts twelve hours at most. */
const KEPT_MS = 24 * 3_600_000;

export class ClockWatch {
  readonly #path: string;
  readonly #bootId: string;
  #last: Instant;
  #saved: Saved;

  private constructor(path: string, bootId: string, now: Instant, saved: Saved) {
    this.#path = path;
    this.#bootId = bootId;
    this.#last = now;
    this.#saved = saved;
  }

  /** Takes up what was saved in this boot: a step made while the service was down is found, too. */
  static async open(path: string, bootId: string, now: Instant): Promise<ClockWatch> {
    const saved = await readSaved(path);
    const known =
      saved?.bootId === bootId ? saved : { bootId, offsetMs: now.wallMs - now.bootMs, stepsBack: [] };
    const watch = new ClockWatch(path, bootId, { ...now, wallMs: now.bootMs + known.offsetMs }, known);
    await watch.observe(now);
    return watch;
  }

  get stepsBack(): readonly StepBack[] {
    return this.#saved.stepsBack;
  }

  async observe(now: Instant): Promise<ClockChange> {
    const change = clockChange(this.#last, now);
    this.#last = now;
    const isStep = change.steppedMs !== 0;
    const step = change.steppedMs < 0 ? [{ atBootMs: now.bootMs, byMs: -change.steppedMs }] : [];
    const kept = this.#saved.stepsBack.filter(({ atBootMs, byMs }) => now.bootMs < atBootMs + byMs + KEPT_MS);
    this.#saved = { bootId: this.#bootId, offsetMs: now.wallMs - now.bootMs, stepsBack: [...kept, ...step] };
    if (isStep) await this.save();
    return change;
  }

  /**
   * The offset drifts with slewing; saving it now and then keeps drift from looking like a step after a restart.
   * Where it cannot be saved (a full disk), only a restart of ours forgets it: nothing to fail for.
   */
  async save(): Promise<void> {
    await replaceFile(this.#path, `${JSON.stringify(this.#saved)}\n`, { mode: 0o644 }).catch(() => undefined);
  }
}

async function readSaved(path: string): Promise<Saved | null> {
  try {
    const text = await readTextIfPresent(path, { maxBytes: 64 * 1_024 });
    const value: unknown = text === null ? null : JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    const { bootId, offsetMs, stepsBack } = value as Partial<Saved>;
    if (
      typeof bootId !== "string" ||
      !isTimeMs(offsetMs) ||
      !Array.isArray(stepsBack) ||
      !stepsBack.every(isStep)
    )
      return null;
    return { bootId, offsetMs, stepsBack };
  } catch {
    return null;
  }
}

function isStep(value: unknown): value is StepBack {
  if (typeof value !== "object" || value === null) return false;
  const { atBootMs, byMs } = value as Partial<StepBack>;
  return isTimeMs(atBootMs) && isTimeMs(byMs);
}
