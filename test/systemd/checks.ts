/** One check: a name that says what an operator would notice, and what must hold. */
import type { Tally } from "../readers/tally.ts";

export type Check = (name: string, body: () => Promise<void>) => Promise<void>;

export class Interrupted extends Error {}

/** Checks into a tally; after an interruption none is begun. */
export function checksInto(tally: Tally, signal: AbortSignal): Check {
  return async (name, body) => {
    if (signal.aborted) throw new Interrupted();
    let fault: string | undefined;
    try {
      await body();
    } catch (error) {
      if (signal.aborted) throw new Interrupted();
      fault = error instanceof Error ? error.message : String(error);
    }
    tally.record(name, fault);
  };
}

/** @throws saying what was found, with `context` below it */
export function expectEqual(found: unknown, wanted: unknown, what: string, context = ""): void {
  if (found === wanted) return;
  throw new Error(
    `${what} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}${context === "" ? "" : `\n${context}`}`,
  );
}

export function expectMatch(text: string, pattern: RegExp, what: string): void {
  if (!pattern.test(text)) throw new Error(`${what} does not match ${pattern}:\n${text}`);
}

export function expectNoMatch(text: string, pattern: RegExp, what: string): void {
  if (pattern.test(text)) throw new Error(`${what} matches ${pattern}:\n${text}`);
}
