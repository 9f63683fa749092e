/** Chance that can be had again: the same seed draws the same. xoshiro128** (Blackman and Vigna, 2018). */
export class Random {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    // splitmix32 spreads a small seed over the whole state.
    let mixed = seed >>> 0;
    this.#state = Uint32Array.from({ length: 4 }, () => {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      let value = mixed;
      value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
      value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
      return (value ^ (value >>> 16)) >>> 0;
    });
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    const state = this.#state as unknown as [number, number, number, number];
    const product = Math.imul(state[1], 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    const last = state[3];
    state[3] = (last << 11) | (last >>> 21);
    return result / 2 ** 32;
  }

  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  /** Evenly over the orders of magnitude: seconds are as likely as hours. */
  logBetween(from: number, to: number): number {
    return from * (to / from) ** this.next();
  }

  integer(from: number, to: number): number {
    return Math.floor(this.between(from, to + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  oneOf<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)] as T;
  }

  /** How often something happens that is expected `mean` times (Poisson). */
  count(mean: number): number {
    let happened = 0;
    for (let left = Math.exp(-mean), product = this.next(); product > left; product *= this.next())
      happened += 1;
    return happened;
  }
}
