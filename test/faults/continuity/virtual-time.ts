/**
 * True time, which only the simulator knows, and what happens in it. A host's own timers stand still while it sleeps,
 * as those of CLOCK_MONOTONIC do.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { VirtualProcess } from "./virtual-process.ts";

/** The process on whose behalf code is running; none for the world itself. */
export const running = new AsyncLocalStorage<VirtualProcess>();

interface Entry {
  at: number;
  order: number;
  run: () => void;
  /** Whether promises may be left to settle afterwards. */
  isAsync: boolean;
  isCancelled: boolean;
}

export interface Timer {
  cancel(): void;
}

class Agenda {
  readonly #heap: Entry[] = [];

  get first(): Entry | undefined {
    while (this.#heap[0]?.isCancelled) this.#pop();
    return this.#heap[0];
  }

  add(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, heap[parent] as Entry)) break;
      heap[index] = heap[parent] as Entry;
      index = parent;
    }
    heap[index] = entry;
  }

  take(): Entry {
    const entry = this.first as Entry;
    this.#pop();
    return entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      if (!isBefore(heap[child] as Entry, last)) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** All times in milliseconds. */
export class VirtualTime {
  #now: number;
  #order = 0;
  #asleepMs = 0;
  #asleepSince: number | null = null;
  readonly #world = new Agenda();
  readonly #host = new Agenda();

  constructor(start: number) {
    this.#now = start;
  }

  /** Since the epoch, by a clock that is right. */
  get now(): number {
    return this.#now;
  }

  /** How long the host has been awake, from an arbitrary start. */
  get awake(): number {
    const asleep = this.#asleepMs + (this.#asleepSince === null ? 0 : this.#now - this.#asleepSince);
    return this.#now - asleep;
  }

  /** Something that comes to pass whatever the host does. */
  at(when: number, run: () => void, { isAsync = false } = {}): Timer {
    return this.#add(this.#world, Math.max(when, this.#now), run, isAsync);
  }

  /** On the host: not while it sleeps. */
  after(delayMs: number, run: () => void, { isAsync = false } = {}): Timer {
    return this.#add(this.#host, this.awake + Math.max(delayMs, 0), run, isAsync);
  }

  sleep(): void {
    this.#asleepSince ??= this.#now;
  }

  wake(): void {
    if (this.#asleepSince === null) return;
    this.#asleepMs += this.#now - this.#asleepSince;
    this.#asleepSince = null;
  }

  /** Lets time pass, and everything happen that is due by then. */
  async runUntil(end: number): Promise<void> {
    await settle();
    for (;;) {
      const world = this.#world.first;
      const host = this.#asleepSince === null ? this.#host.first : undefined;
      const worldAt = world?.at ?? Number.POSITIVE_INFINITY;
      const hostAt = host === undefined ? Number.POSITIVE_INFINITY : host.at + this.#asleepMs;
      const next = Math.min(worldAt, hostAt);
      if (next > end) break;
      this.#now = Math.max(this.#now, next);
      const entry = worldAt <= hostAt ? this.#world.take() : this.#host.take();
      entry.run();
      if (entry.isAsync) await settle();
    }
    this.#now = end;
  }

  #add(agenda: Agenda, at: number, run: () => void, isAsync: boolean): Timer {
    const entry: Entry = { at, order: this.#order++, run, isAsync, isCancelled: false };
    agenda.add(entry);
    return {
      cancel: () => {
        entry.isCancelled = true;
      },
    };
  }
}

let settled = 0;

/**
 * Nothing in here waits for anything but promises, and Node runs what is left for its next tick once they have all
 * settled. Now and then its event loop comes round, too: for the messages of whoever started this thread.
 */
function settle(): Promise<void> {
  settled += 1;
  return new Promise((resolve) => {
    if (settled % 5_000 === 0) void globalThis.setImmediate(resolve);
    else process.nextTick(resolve);
  });
}
