/** What becomes of each refresh, drawn from the seed: whether it is a real process, and which fault it meets. */
import { FAULT_CASES, type FaultCase } from "../../integration/fault-table.ts";
import type { Random } from "../continuity/random.ts";

/** What a child can do wrong as a process, by the words of child.sh. */
export const PROCESS_FAULTS = ["kill", "mute", "rubbish", "chatter"] as const;
/** The same, where only the limit on a child ends it: ten seconds each, so they are counted out, not drawn. */
export const LASTING_FAULTS = ["hang", "orphan"] as const;
export type ProcessFault = (typeof PROCESS_FAULTS)[number] | (typeof LASTING_FAULTS)[number];

export interface Fate {
  /** A real `idc-helper refresh`, from exec to exit; else the same code in a process that stays warm. */
  isReal: boolean;
  /** AWS fails the request. */
  aws: FaultCase | null;
  /** The child fails as a process. */
  process: ProcessFault | null;
  /** A real child is killed so long after it began, wherever it is by then. */
  killAfterMs: number | null;
}

export interface Shares {
  /** Of all refreshes, from 0 to 1. */
  faults: number;
  /** Every how many is a real process. */
  realEvery: number;
  /** Every how many is one of {@link LASTING_FAULTS}; null for never. */
  lastingEvery: number | null;
}

const HEALTHY: Omit<Fate, "isReal"> = { aws: null, process: null, killAfterMs: null };

/** @param number of the refresh, from 1 */
export function drawFate(number: number, random: Random, { faults, realEvery, lastingEvery }: Shares): Fate {
  const isReal = number % realEvery === 0;
  if (lastingEvery !== null && number % lastingEvery === lastingEvery - 1) {
    const which = Math.floor(number / lastingEvery) % LASTING_FAULTS.length;
    return { ...HEALTHY, isReal: false, process: LASTING_FAULTS[which] ?? "hang" };
  }
  if (!random.chance(faults)) return { ...HEALTHY, isReal };
  if (random.chance(0.8)) return { ...HEALTHY, isReal, aws: random.oneOf(FAULT_CASES) };
  if (isReal) return { ...HEALTHY, isReal, killAfterMs: random.between(0, 300) };
  return { ...HEALTHY, isReal, process: random.oneOf(PROCESS_FAULTS) };
}
