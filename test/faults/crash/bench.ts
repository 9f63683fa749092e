/** A host on which one command is broken off again and again, and what must hold of it each time. */
import type { Launched } from "../../harness/launch.ts";
import type { Tried } from "./points.ts";

export interface Bench {
  /** Under which everything lies that the command works with, as the command sees it. */
  directory: string;
  /** Brings the host into the state from which the command is started. */
  prepare(): Promise<void>;
  /** The command, on its way to the gate. */
  start(): Launched;
  /**
   * Holds the host against what was promised, runs the command once more, undisturbed, and does so again.
   *
   * @returns what was broken; nothing when all is well
   */
  judge(tried: Pick<Tried, "code">): Promise<string[]>;
  close(): Promise<void>;
}

export interface Subject {
  /** As it is typed: `refresh`. */
  command: string;
  /** In which state it finds the host. */
  situation: string;
  open(): Promise<Bench>;
  /** How many different states its points have left so far: each is judged but once. */
  statesLeft(): Promise<number>;
}

/** What the next run made of each state that a point left: nothing, or the promises that it broke. */
export type Known = Map<string, string[]>;

/** @param state null for one that cannot be told from others */
export async function once(
  known: Known,
  state: string | null,
  judge: () => Promise<string[]>,
): Promise<string[]> {
  const earlier = state === null ? undefined : known.get(state);
  if (earlier !== undefined) return earlier;
  const faults = await judge();
  if (state !== null) known.set(state, faults);
  return faults;
}
