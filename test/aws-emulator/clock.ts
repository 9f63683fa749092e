/**
 * Simulated durations in real time. Session lifetimes, the long poll and the time for which a name stays
 * blocked are divided by the time factor, so that hours pass in seconds. The five minutes that SigV4 allows
 * are not: clients sign with the machine's real clock.
 */
export interface SimulatedClock {
  /** May be changed at any time: what has been granted keeps its end. */
  factor: number;
  now(): Date;
  /** How long `simulatedMs` really lasts, in milliseconds. */
  realMs(simulatedMs: number): number;
}

export function createClock(factor: number): SimulatedClock {
  if (!Number.isFinite(factor) || factor <= 0)
    throw new RangeError(`time factor must be positive: ${factor}`);
  return {
    factor,
    now: () => new Date(),
    realMs(simulatedMs) {
      return simulatedMs / this.factor;
    },
  };
}

export function plusMs(instant: Date, durationMs: number): Date {
  return new Date(instant.getTime() + durationMs);
}
