/** When each host calls next: a binary heap with one entry for each host, in typed arrays, for millions of calls. */
export class Agenda {
  readonly #at: Float64Array;
  readonly #heap: Int32Array;
  #size = 0;

  constructor(hosts: number) {
    this.#at = new Float64Array(hosts);
    this.#heap = new Int32Array(hosts);
  }

  /** @throws nothing; a host must not be in it already */
  add(host: number, at: number): void {
    this.#at[host] = at;
    let index = this.#size;
    this.#size += 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const other = this.#hostAt(parent);
      if (this.#time(other) <= at) break;
      this.#heap[index] = other;
      index = parent;
    }
    this.#heap[index] = host;
  }

  /** The instant of the next call; Infinity when nobody calls any more. */
  get nextAt(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#time(this.#hostAt(0));
  }

  /** Takes the host out that calls next. */
  take(): number {
    const first = this.#hostAt(0);
    this.#size -= 1;
    const last = this.#hostAt(this.#size);
    const at = this.#time(last);
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.#size) break;
      const right = child + 1;
      if (right < this.#size && this.#time(this.#hostAt(right)) < this.#time(this.#hostAt(child)))
        child = right;
      if (this.#time(this.#hostAt(child)) >= at) break;
      this.#heap[index] = this.#hostAt(child);
      index = child;
    }
    this.#heap[index] = last;
    return first;
  }

  #hostAt(index: number): number {
    return this.#heap[index] as number;
  }

  #time(host: number): number {
    return this.#at[host] as number;
  }
}
