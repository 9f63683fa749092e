/**
 * The speed at which the stand-in agent lives: with a factor of 60, one of its hours passes in a minute.
 *
 * Durations are divided by the factor; the wall clock that the credential holder looks at is multiplied by it, so
 * that whole seconds of the agent stay whole seconds and a step of the host's clock is a step of the agent's.
 */
export class Pace {
  readonly factor: number;

  constructor(factor: number) {
    if (!Number.isFinite(factor) || factor <= 0) {
      throw new Error(`the time factor must be a number above 0, not ${factor}`);
    }
    this.factor = factor;
  }

  /** Real milliseconds that the given seconds of the agent take; whole ones, as timers want them. */
  durationMs(agentSeconds: number): number {
    return Math.ceil((agentSeconds * 1000) / this.factor);
  }

  /** Seconds of the agent that the given real milliseconds amount to. */
  agentSeconds(durationMs: number): number {
    return (durationMs * this.factor) / 1000;
  }

  /** The agent's wall clock, in seconds, when the host's shows `epochMs`. */
  wallClock(epochMs: number): number {
    return this.agentSeconds(epochMs);
  }
}
