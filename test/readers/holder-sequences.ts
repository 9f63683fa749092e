/**
 * Histories of a credentials file and a clock: what both holders are put through, by hand and at random.
 *
 * A step sets the wall clock, may change the file, and asks for credentials, as the agent's next request would.
 */
import { SeededRandom } from "./seeded-random.ts";

export interface Step {
  /** What the wall clock shows, in milliseconds since the epoch. */
  atMs: number;
  /** The file's new content, null to remove it; absent to leave it as it is. */
  file?: string | null;
}

export interface Sequence {
  name: string;
  steps: Step[];
}

const START_MS = Date.UTC(2026, 0, 31, 9, 0, 0);
const MINUTE = 60;
const HOUR = 3600;

const complete = (key: string) =>
  `[default]\naws_access_key_id = ${key}\naws_secret_access_key = secret\naws_session_token = token==\n`;
const WITHOUT_SECRET = "[default]\naws_access_key_id = HALF\n";
const OTHER_PROFILE = complete("OTHER").replace("default", "other");

const at = (seconds: number, file?: string | null): Step => ({
  atMs: START_MS + Math.round(seconds * 1000),
  ...(file === undefined ? {} : { file }),
});

/** A poll each minute, with the clock stepped by so much right after the first. */
const polledWithStep = (stepSeconds: number, minutes: number): Step[] => [
  at(0, complete("FIRST")),
  ...Array.from({ length: minutes }, (_, index) => at((index + 1) * MINUTE + stepSeconds)),
];

export const HAND_WRITTEN: readonly Sequence[] = [
  { name: "a poll each minute for two hours", steps: polledWithStep(0, 120) },
  { name: "the clock stepped back by 600 s", steps: polledWithStep(-600, 60) },
  { name: "the clock stepped back by nine hours", steps: polledWithStep(-9 * HOUR, 600) },
  { name: "the clock stepped forward by a day", steps: polledWithStep(24 * HOUR, 60) },
  {
    name: "the edge of 1,500 s, in whole seconds and fractions",
    steps: [at(0.9, complete("A")), at(1500), at(1500.999, complete("B")), at(1501), at(3001.5), at(3002)],
  },
  {
    name: "a file rewritten just before and just after a read",
    steps: [
      at(0, complete("A")),
      at(1500, complete("B")),
      at(1501),
      at(1502, complete("C")),
      at(3002),
      at(3003),
    ],
  },
  {
    name: "a file removed and written again",
    steps: [at(0, complete("A")), at(1000, null), at(1600), at(1660), at(1720, complete("B")), at(1780)],
  },
  {
    name: "a profile that vanishes and comes back",
    steps: [
      at(0, complete("A")),
      at(1600, OTHER_PROFILE),
      at(1660),
      at(900),
      at(1700, complete("B")),
      at(1760),
    ],
  },
  {
    name: "a secret that is missing, and a clock stepped back over it",
    steps: [at(0, complete("A")), at(1600, WITHOUT_SECRET), at(1000), at(1601, complete("B")), at(1602)],
  },
  {
    name: "no file at start, then one",
    steps: [at(0, null), at(5), at(10, complete("A")), at(1600), at(3200)],
  },
  {
    name: "quotes and comments in the file",
    steps: [
      at(0, complete('"QUOTED"')),
      at(1600, complete("CUT ;here")),
      at(3200, complete("HASH #stays")),
      at(4800, `# first\n${complete("LAST")}aws_access_key_id = LATER\n`),
    ],
  },
];

/** As many different histories as asked for, the same for the same seed. */
export function randomSequences(count: number, seed: number): Sequence[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, (_, index) => ({
    name: `random ${index + 1} of seed ${seed}`,
    steps: randomSteps(random),
  }));
}

function randomSteps(random: SeededRandom): Step[] {
  const steps: Step[] = [at(0, random.chance(0.9) ? complete("K0") : randomFile(random, 0))];
  let seconds = 0;
  for (let index = 1; index <= 30; index++) {
    seconds += randomAdvance(random);
    steps.push(random.chance(0.35) ? at(seconds, randomFile(random, index)) : at(seconds));
  }
  return steps;
}

function randomAdvance(random: SeededRandom): number {
  const kind = random.next();
  if (kind < 0.5) return random.integer(1, 90) + random.next();
  if (kind < 0.7) return random.integer(1498, 1503) + random.pick([0, 0.001, 0.999]);
  if (kind < 0.8) return random.integer(MINUTE, 2 * HOUR);
  if (kind < 0.9) return -random.integer(1, 20 * MINUTE);
  return random.pick([-9 * HOUR, -HOUR, -1, 0, 9 * HOUR, 24 * HOUR]);
}

function randomFile(random: SeededRandom, index: number): string | null {
  const kind = random.next();
  if (kind < 0.6) return complete(`K${index}`);
  if (kind < 0.75) return null;
  if (kind < 0.85) return OTHER_PROFILE;
  return random.pick([WITHOUT_SECRET, "", "[default]\n", complete(`"Q${index}"`), complete("").trimEnd()]);
}
