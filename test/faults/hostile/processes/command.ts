/** The real command, run once: how it ended, and how much memory it and its children had at most. */
import { fileURLToPath } from "node:url";
import { run } from "../../../readers/external-process.ts";

export const PROGRAM = fileURLToPath(new URL("../../../../dist/idc-helper", import.meta.url));
const MEASURE = fileURLToPath(new URL("./measure.py", import.meta.url));

export interface Ended {
  exitCode: number | null;
  signal: number | null;
  wasTooSlow: boolean;
  stdout: string;
  stderr: string;
  seconds: number;
  peakBytes: number;
}

export interface Start {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  input: string;
  /** In seconds. */
  limit: number;
}

export async function runMeasured(start: Start): Promise<Ended> {
  const { exitCode, stdout, stderr } = await run("python3", [MEASURE], process.env, JSON.stringify(start));
  if (exitCode !== 0) throw new Error(`python3 measure.py ended with ${exitCode}: ${stderr.trim()}`);
  return JSON.parse(stdout) as Ended;
}
