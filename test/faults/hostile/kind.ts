/** One kind of input that may be hostile: how it is made, and what the real code must do with it. */
import type * as fc from "fast-check";
import { Failure } from "../../../src/failure.ts";

/** What a judge says: what is wrong with what was done, or null where all is as promised. */
export type Judgement = string | null;

/** Tries one input against the real code. */
export type Judge<T> = (input: T) => Promise<Judgement> | Judgement;

export interface KindOf<T> {
  name: string;
  /** What people call it, in the table. */
  title: string;
  /** How many are generated. */
  inputs: { quick: number; full: number };
  arbitrary: fc.Arbitrary<T>;
  /** Cases made by hand; tried in every run, quick ones included. */
  corpus: readonly T[];
  /** @param directory an empty one of its own */
  open(directory: string): Promise<Judge<T>> | Judge<T>;
}

export type Kind = KindOf<unknown>;

/** Keeps the type of the input to the kind's own file. */
export function kind<T>(options: KindOf<T>): Kind {
  return options as unknown as Kind;
}

/**
 * The promise for everything that is refused: a foreseen failure, which names the place and could be printed as it is.
 *
 * @param places one of these must be named: a file, a key, a host
 */
export function wellTold(error: unknown, places: readonly string[]): Judgement {
  if (!(error instanceof Failure)) return `not foreseen: ${told(error)}`;
  const { message, nextStep, kind } = error;
  if (message.trim() === "") return `a failure (${kind}) without a message`;
  if (!places.some((place) => message.includes(place)))
    return `the message names none of ${places.join(", ")}: ${message.slice(0, 300)}`;
  return controlsIn(`${message}\n${nextStep}`);
}

/** A terminal obeys them, and a journal's line is broken by them. */
export function controlsIn(text: string): Judgement {
  const found = /(?![\n\t])\p{Cc}/u.exec(text);
  if (found === null) return null;
  const around = text.slice(Math.max(0, found.index - 60), found.index + 20);
  return `a control character in what is printed: ${JSON.stringify(around)}`;
}

export function told(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message).slice(0, 1_500) : String(error);
}
