/** Waits for something to become so. The limit is generous: it ends a hang, it decides nothing. */
import { setTimeout as sleep } from "node:timers/promises";

const EVERY_MS = 20;
const LIMIT_MS = 180_000;

/** @returns the first value that is not undefined, null or false */
export async function eventually<T>(
  look: () => T | undefined | null | false,
  explain: () => string,
  limitMs = LIMIT_MS,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() >= deadline) throw new Error(`waited ${limitMs / 1_000} s: ${explain()}`);
    await sleep(EVERY_MS);
  }
}
