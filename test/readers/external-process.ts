/** Programs of other languages: run with JSON in and JSON out, in an environment that holds nothing of AWS. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Finished {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** The environment of every reader: no settings of whoever runs the checks, and no look at EC2's metadata. */
export function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: home,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_PAGER: "",
    PYTHONDONTWRITEBYTECODE: "1",
  };
}

export function run(
  program: string,
  programArguments: readonly string[],
  env: NodeJS.ProcessEnv,
  input = "",
): Promise<Finished> {
  const child = spawn(program, programArguments, { env, stdio: ["pipe", "pipe", "pipe"] });
  const finished: Finished = { exitCode: null, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    finished.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    finished.stderr += text;
  });
  child.stdin.on("error", () => {
    // A program that ends without reading its input says why with its exit code.
  });
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ ...finished, exitCode }));
  });
}

/** Runs one of the scripts beside this file on JSON, and gives the JSON that it prints. */
export async function runScript<Answer>(
  interpreter: string,
  script: string,
  env: NodeJS.ProcessEnv,
  input: unknown,
): Promise<Answer> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { exitCode, stdout, stderr } = await run(interpreter, [path], env, JSON.stringify(input));
  if (exitCode !== 0) throw new Error(`${script} ended with ${exitCode}: ${stderr.trim()}`);
  return JSON.parse(stdout);
}
