/** Runs another program to its end, with a bound, and gives what it printed. */
import { type ExecFileOptionsWithStringEncoding, execFile } from "node:child_process";
import { promisify } from "node:util";
import { toolEnvironment } from "./tool-environment.ts";

const execute = promisify(execFile);

/**
 * What it prints may become unreadable under way (no memory left): then it is ended, and that is its failure. Node's own
 * `execFile` lets such an error end the process that asked. It gets nobody's keys, unless `env` says otherwise.
 *
 * @returns its standard output
 * @throws the error of execFile, or of the reading
 */
export async function outputOf(
  program: string,
  args: readonly string[],
  options: Omit<ExecFileOptionsWithStringEncoding, "encoding">,
): Promise<string> {
  const running = execute(program, args, { killSignal: "SIGKILL", env: toolEnvironment(), ...options });
  let unreadable: Error | null = null;
  for (const stream of [running.child.stdout, running.child.stderr]) {
    stream?.on("error", (error) => {
      unreadable ??= new Error(`what ${program} says cannot be read: ${error.message}`, { cause: error });
      running.child.kill("SIGKILL");
    });
  }
  try {
    const { stdout } = await running;
    if (unreadable !== null) throw unreadable;
    return stdout;
  } catch (error) {
    throw unreadable ?? error;
  }
}
