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
  /** How many different states its points have left so far, where each is judged but once. */
  statesLeft?(): Promise<number>;
}
