/**
 * `make readers`: holds the credentials file against everyone who reads it, and the stand-in agent against the
 * classes that the real one is built on. Prints a line for each check; exit status 1 when one failed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmulator } from "../aws-emulator/emulator.ts";
import { checkCredentialFiles } from "./credential-files.ts";
import { cleanEnvironment } from "./external-process.ts";
import { fileReaders } from "./file-readers.ts";
import { checkIniParsers } from "./ini-parsers.ts";
import { checkRefusedCredentials } from "./refused-credentials.ts";
import { findPrograms, type Programs } from "./requirements.ts";
import { checkStandInAgainstOriginal } from "./stand-in-and-original.ts";
import { Tally } from "./tally.ts";

async function check(programs: Programs, env: NodeJS.ProcessEnv, directory: string): Promise<Tally> {
  const tally = new Tally();
  const emulator = await startEmulator();
  try {
    await checkCredentialFiles(fileReaders(programs, env), emulator, directory, tally);
    await checkStandInAgainstOriginal(programs, env, directory, tally);
    await checkRefusedCredentials(programs, emulator, directory, tally);
    await checkIniParsers(programs, env, tally);
  } finally {
    await emulator.close();
  }
  return tally;
}

const directory = mkdtempSync(join(tmpdir(), "idc-readers-"));
try {
  const env = cleanEnvironment(directory);
  const programs = await findPrograms(env);
  console.log(`against ${programs.versions.join(", ")}`);
  const tally = await check(programs, env, directory);
  console.log(tally.summary());
  process.exitCode = tally.exitCode;
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
