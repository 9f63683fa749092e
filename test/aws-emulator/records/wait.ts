/** Waiting for something to become true, so that tests wait for events and never for time. */
import type { EventEmitter } from "node:events";

export interface WaitOptions<T> {
  /** Those that may satisfy the predicate already. */
  readonly known: readonly T[];
  readonly changes: EventEmitter<{ change: [T] }>;
  readonly predicate: (item: T) => boolean;
  readonly timeoutMs: number;
  /** Completes "waited … ms for". */
  readonly what: string;
}

export function waitForItem<T>(options: WaitOptions<T>): Promise<T> {
  const { known, changes, predicate, timeoutMs, what } = options;
  const already = known.find(predicate);
  if (already !== undefined) return Promise.resolve(already);
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onChange = (item: T): void => {
    if (predicate(item)) resolve(item);
  };
  const timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms for ${what}`)), timeoutMs);
  changes.on("change", onChange);
  return promise.finally(() => {
    clearTimeout(timer);
    changes.off("change", onChange);
  });
}
