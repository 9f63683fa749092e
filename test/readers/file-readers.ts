/**
 * Four programs that read a credentials file, each a library of its own, and call the emulator with what they read.
 */
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromIni } from "@aws-sdk/credential-providers";
import { run, runScript } from "./external-process.ts";
import { REGION } from "./issue-session.ts";
import type { Programs } from "./requirements.ts";

export interface Reading {
  /** The session token as it was read; null where the program does not tell. */
  sessionToken: string | null;
  /** Who the emulator says the caller is; null when the call failed. */
  arn: string | null;
  error: string | null;
}

export interface FileReader {
  name: string;
  /** Whether each file costs a process; then not every shape is tried. */
  slow: boolean;
  read(files: readonly string[], endpoint: string): Promise<Reading[]>;
}

export function fileReaders(programs: Programs, env: NodeJS.ProcessEnv): FileReader[] {
  const script = (name: string, interpreter: string, path: string): FileReader => ({
    name,
    slow: false,
    read: (files, endpoint) =>
      runScript<Reading[]>(interpreter, path, env, { files, endpoint, region: REGION }),
  });
  return [
    script("Ruby SDK", programs.ruby, "read-files.rb"),
    script("boto3", programs.python, "read_files.py"),
    { name: "JavaScript SDK", slow: false, read: readWithJavaScript },
    {
      name: "AWS CLI",
      slow: true,
      read: async (files, endpoint) => {
        const readings: Reading[] = [];
        for (const file of files) readings.push(await readWithCli(programs.awsCli, env, file, endpoint));
        return readings;
      },
    },
  ];
}

async function readWithJavaScript(files: readonly string[], endpoint: string): Promise<Reading[]> {
  return Promise.all(
    files.map(async (filepath): Promise<Reading> => {
      const credentials = fromIni({ filepath, configFilepath: "/dev/null", profile: "default" });
      const sts = new STSClient({ endpoint, region: REGION, credentials, maxAttempts: 1 });
      try {
        const { sessionToken } = await credentials();
        const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
        return { sessionToken: sessionToken ?? null, arn: Arn ?? null, error: null };
      } catch (error) {
        return { sessionToken: null, arn: null, error: String(error) };
      } finally {
        sts.destroy();
      }
    }),
  );
}

async function readWithCli(
  awsCli: string,
  env: NodeJS.ProcessEnv,
  file: string,
  endpoint: string,
): Promise<Reading> {
  const { exitCode, stdout, stderr } = await run(
    awsCli,
    ["sts", "get-caller-identity", "--endpoint-url", endpoint, "--region", REGION, "--output", "json"],
    { ...env, AWS_SHARED_CREDENTIALS_FILE: file },
  );
  if (exitCode !== 0) return { sessionToken: null, arn: null, error: stderr.trim() };
  return { sessionToken: null, arn: JSON.parse(stdout).Arn, error: null };
}
