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
  const { currentExpiresBootMs, nowBootMs } = facts;
  // Nobody is helped by loading what has expired; and a reload now would put off the one that is needed.
  if (currentExpiresBootMs !== null && currentExpiresBootMs <= nowBootMs) return null;
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
  const pickedUp = readBy(atBootMs, facts);
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
  const readsAgain = readBy(atBootMs, facts);
  if (facts.currentExpiresBootMs === null || facts.currentExpiresBootMs >= readsAgain) return null;
  return { sinceBootMs: atBootMs, reason: "clock_stepped_back", lapsesBootMs: readsAgain };
}

/**
 * By when the agent has read what the file held at an instant: a read that was pending at an earlier step back is
 * late by that step, however long ago it was. A worker reads at its start, and only steps after that delay it.
 */
function readBy(atBootMs: number, { pickupWindowMs, stepsBack, workerStartedBootMs }: PickupFacts): number {
  const steps = stepsBack.filter(
    (step) => step.atBootMs >= (workerStartedBootMs ?? Number.NEGATIVE_INFINITY),
  );
  const pendingSince = [atBootMs, ...steps.map((step) => step.atBootMs).filter((at) => at < atBootMs)];
  const reads = pendingSince.map((since) =>
    // In their order: a step that comes after the read delays it no more.
    steps
      .filter((step) => step.atBootMs >= since)
      .reduce(
        (readsAt, step) => (step.atBootMs < readsAt ? readsAt + step.byMs : readsAt),
        since + pickupWindowMs,
      ),
  );
  return Math.max(...reads);
}
