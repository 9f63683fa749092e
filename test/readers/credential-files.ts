/**
 * The first question: is a credentials file as we write it read by everyone, and does what was read work?
 *
 * Session tokens are opaque, so every shape that has broken a writer of such files is tried: padding, slashes and
 * pluses, and lengths up to what a long session policy brings (FACTS, "The INI file").
 */
import { join } from "node:path";
import { renderProfile } from "../../src/credentials/profile-file.ts";
import { replaceFile } from "../../src/host/atomic-file.ts";
import type { Emulator } from "../aws-emulator/emulator.ts";
import type { FileReader, Reading } from "./file-readers.ts";
import { issueSession, type SuppliedSession } from "./issue-session.ts";
import type { Tally } from "./tally.ts";

const LENGTHS = [300, 600, 1000, 2000, 4000];
const ENDINGS = ["", "=", "=="] as const;
const CONTENTS = ["", "/", "+", "/+=/"];

/** Other people's profiles around ours, comments and all: kept, and in nobody's way. */
const NEIGHBOURS = `# by hand
[backup]
aws_access_key_id = AKIAIDCNEIGHBOUR0001
aws_secret_access_key = not/ours

[default]
aws_access_key_id = AKIAIDCOVERWRITTEN01
aws_secret_access_key = "old"
region = eu-west-1

[other profile]
aws_access_key_id = AKIAIDCNEIGHBOUR0002
aws_secret_access_key = not+ours
`;

interface Sample {
  /** Samples of one group are one check. */
  group: string;
  shape: string;
  path: string;
  session: SuppliedSession;
  /** Whether the readers that start a process for each file are given it. */
  forSlowReaders: boolean;
}

export async function checkCredentialFiles(
  readers: readonly FileReader[],
  emulator: Emulator,
  directory: string,
  tally: Tally,
): Promise<void> {
  const samples = await writeSamples(emulator, directory);
  for (const reader of readers) {
    const given = reader.slow ? samples.filter(({ forSlowReaders }) => forSlowReaders) : samples;
    const paths = given.map(({ path }) => path);
    const readings = await reader.read(paths, emulator.url);
    const outcomes = given.map((sample, index) => ({ ...sample, fault: fault(sample, readings[index]) }));
    for (const [group, ofGroup] of Map.groupBy(outcomes, (outcome) => outcome.group)) {
      const faults = ofGroup.flatMap(({ shape, fault }) =>
        fault === undefined ? [] : [`${shape}: ${fault}`],
      );
      const files = ofGroup.length === 1 ? "1 file" : `${ofGroup.length} files`;
      const found = faults.length === 0 ? undefined : `${faults.length} of ${files}; the first ${faults[0]}`;
      tally.record(`${reader.name} reads and uses ${group} (${files})`, found);
    }
  }
}

async function writeSamples(emulator: Emulator, directory: string): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const length of LENGTHS) {
    for (const ending of ENDINGS) {
      for (const contains of CONTENTS) {
        const session = await issueSession(emulator, `serial-${samples.length}`, {
          length,
          ending,
          contains,
        });
        samples.push({
          group: `tokens of ${length} characters`,
          shape: `ending in "${ending}", with "${contains}"`,
          path: await written(join(directory, `credentials-${samples.length}`), "", session),
          session,
          forSlowReaders: contains === "/+=/" && (ending === "==" || length === 1000),
        });
      }
    }
  }
  const session = await issueSession(emulator, "serial-neighbours");
  samples.push({
    group: "a profile among others",
    shape: "in its place",
    path: await written(join(directory, "credentials-neighbours"), NEIGHBOURS, session),
    session,
    forSlowReaders: true,
  });
  return samples;
}

async function written(path: string, existing: string, { credentials }: SuppliedSession): Promise<string> {
  await replaceFile(path, renderProfile(existing, "default", credentials), { mode: 0o600 });
  return path;
}

function fault({ session }: Sample, reading: Reading | undefined): string | undefined {
  if (!reading) return "it gave no answer";
  const { sessionToken, arn, error } = reading;
  if (sessionToken !== null && sessionToken !== session.credentials.sessionToken)
    return "the token read is another";
  if (error !== null) return error;
  return arn === session.sessionArn ? undefined : `the emulator took the caller for ${arn}`;
}
