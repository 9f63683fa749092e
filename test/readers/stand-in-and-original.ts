/**
 * The second question: does the stand-in agent hold credentials as the real one does?
 *
 * The same histories are given to its holder and to the Ruby SDK's own classes; both must read the file at the same
 * steps, fail at the same steps, and hold the same key.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { CredentialHolder, CredentialsUnreadable } from "../agent/credential-holder.ts";
import { profileSource } from "../agent/profile-source.ts";
import { runScript } from "./external-process.ts";
import { HAND_WRITTEN, randomSequences, type Sequence, type Step } from "./holder-sequences.ts";
import type { Programs } from "./requirements.ts";
import type { Tally } from "./tally.ts";

const RANDOM_SEQUENCES = 400;
const SEED = 20_260_131;

export interface Observation {
  read: boolean;
  raised: boolean;
  accessKeyId: string | null;
}

export async function checkStandInAgainstOriginal(
  { ruby }: Programs,
  env: NodeJS.ProcessEnv,
  directory: string,
  tally: Tally,
): Promise<void> {
  const sequences = [...HAND_WRITTEN, ...randomSequences(RANDOM_SEQUENCES, SEED)];
  const originals = await runScript<Observation[][]>(ruby, "replay-holder.rb", env, {
    path: join(directory, "original"),
    sequences,
  });
  const faults = sequences.map((sequence, index) => {
    const observations = replay(sequence, join(directory, "stand-in"), env);
    return difference(sequence, observations, originals[index] ?? []);
  });
  for (const [index, { name }] of HAND_WRITTEN.entries()) {
    tally.record(`stand-in and original read alike: ${name}`, faults[index]);
  }
  const reads = originals
    .slice(HAND_WRITTEN.length)
    .flat()
    .filter(({ read }) => read).length;
  tally.record(
    `stand-in and original read alike: ${RANDOM_SEQUENCES} random histories with ${reads} reads`,
    faults.slice(HAND_WRITTEN.length).find((fault) => fault !== undefined),
  );
}

function replay({ steps }: Sequence, path: string, env: NodeJS.ProcessEnv): Observation[] {
  rmSync(path, { force: true });
  let holder: CredentialHolder | undefined;
  let reads = 0;
  const source = profileSource(path, env);
  const countedSource = () => {
    reads++;
    return source();
  };
  return steps.map((step) => {
    changeFile(path, step);
    reads = 0;
    // A worker that could not read at start is replaced by one that tries again.
    const current = holder ?? new CredentialHolder(countedSource);
    try {
      const held = current.credentials(step.atMs / 1000);
      holder = current;
      return { read: reads > 0, raised: false, accessKeyId: held?.accessKeyId ?? null };
    } catch (error) {
      if (!(error instanceof CredentialsUnreadable)) throw error;
      return { read: reads > 0, raised: true, accessKeyId: null };
    }
  });
}

function changeFile(path: string, { file }: Step): void {
  if (file === null) rmSync(path, { force: true });
  else if (file !== undefined) writeFileSync(path, file);
}

function difference(
  { name, steps }: Sequence,
  standIn: readonly Observation[],
  original: readonly Observation[],
): string | undefined {
  const index = steps.findIndex((_, step) => !isDeepStrictEqual(standIn[step], original[step]));
  if (index < 0) return undefined;
  const [first] = steps;
  const seconds = ((steps[index]?.atMs ?? 0) - (first?.atMs ?? 0)) / 1000;
  const shown = `stand-in ${JSON.stringify(standIn[index])}, original ${JSON.stringify(original[index])}`;
  return `${name}, step ${index}, ${seconds} s after the first: ${shown}`;
}
