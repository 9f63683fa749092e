/**
 * The rule when the agent must be told to load its credentials anew.
 *
 * The agent re-reads the file by itself within the pickup window, so after a write it must be told only if what
 * it holds expires before that. All instants are of CLOCK_BOOTTIME within one boot: the wall clock may be what
 * is wrong. DESIGN, "When the agent must load anew"; FACTS, "The CodeDeploy agent".
 */
import type { Write } from "../credentials/record.ts";

/** The wall clock set back: the agent's 1,800 s are wall-clock time, so its next read comes that much later. */
export interface StepBack {
  atBootMs: number;
  /** How far back, in milliseconds, positive. */
  byMs: number;
}

export interface PickupFacts {
  nowBootMs: number;
  pickupWindowMs: number;
  /** Replacements of the credentials file, oldest first. */
  writes: readonly Write[];
  stepsBack: readonly StepBack[];
  /** When what the file holds now expires; null when there is no file of ours. */
  currentExpiresBootMs: number | null;
  /** When the agent's worker started, which is when it read file and config last for certain; null if unknown. */
  workerStartedBootMs: number | null;
}

export type PickupReason = "first_or_unknown" | "expires_before_pickup" | "clock_stepped_back";

export interface MustLoad {
  /** A worker that started at this instant or later has what it must have. */
  sinceBootMs: number;
  reason: PickupReason;
  /** From here on the agent has certainly read by itself. */
  lapsesBootMs: number;
}

/** @returns the latest load that the agent must not be left to do in its own time, or null when there is none */
export function mustLoadSince(facts: PickupFacts): MustLoad | null {
  const demands = [
    ...facts.writes.map((write) => afterWrite(write, facts)),
    ...facts.stepsBack.map((step) => afterStep(step, facts)),
  ];
  const open = demands.filter((demand) => demand !== null).filter((demand) => isOpen(demand, facts));
  return open.reduce<MustLoad | null>(
    (latest, demand) => (latest && latest.sinceBootMs >= demand.sinceBootMs ? latest : demand),
    null,
  );
}

function isOpen(
  { sinceBootMs, lapsesBootMs }: MustLoad,
  { nowBootMs, workerStartedBootMs }: PickupFacts,
): boolean {
  if (nowBootMs >= lapsesBootMs) return false;
  return workerStartedBootMs === null || workerStartedBootMs < sinceBootMs;
}

function afterWrite({ atBootMs, previousExpiresBootMs }: Write, facts: PickupFacts): MustLoad | null {
  const delay = delayOfReadsSince(atBootMs - facts.pickupWindowMs, facts);
  const pickedUp = atBootMs + facts.pickupWindowMs + delay;
  if (previousExpiresBootMs !== null && previousExpiresBootMs >= pickedUp) return null;
  const withoutSteps = atBootMs + facts.pickupWindowMs;
  const reason =
    previousExpiresBootMs === null
      ? "first_or_unknown"
      : previousExpiresBootMs >= withoutSteps
        ? "clock_stepped_back"
        : "expires_before_pickup";
  return { sinceBootMs: atBootMs, reason, lapsesBootMs: pickedUp };
}

/** After a step the agent may sit on what the file holds now until it would have read the file's next content. */
function afterStep({ atBootMs }: StepBack, facts: PickupFacts): MustLoad | null {
  const readsAgain = atBootMs + facts.pickupWindowMs + delayOfReadsSince(atBootMs, facts);
  const written = facts.writes.at(-1)?.atBootMs ?? 0;
  // Written after the step: that write's own demand covers it.
  if (facts.currentExpiresBootMs === null || written > atBootMs || facts.currentExpiresBootMs >= readsAgain)
    return null;
  return { sinceBootMs: atBootMs, reason: "clock_stepped_back", lapsesBootMs: readsAgain };
}

/** By how much steps of the clock may delay a read that was pending at an instant; a new worker starts afresh. */
function delayOfReadsSince(fromBootMs: number, { stepsBack, workerStartedBootMs }: PickupFacts): number {
  const from = Math.max(fromBootMs, workerStartedBootMs ?? Number.NEGATIVE_INFINITY);
  return stepsBack.filter(({ atBootMs }) => atBootMs >= from).reduce((sum, { byMs }) => sum + byMs, 0);
}
