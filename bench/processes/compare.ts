/** Commands side by side, in turn, so that whatever else the machine does befalls all of them alike. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { median } from "../fleet/measures.ts";

const MEASURE = fileURLToPath(new URL("measure.py", import.meta.url));

export interface Contestant {
  name: string;
  argv: readonly string[];
  env: NodeJS.ProcessEnv;
  /** What it may end with; 0 alone by default. */
  exitCodes?: readonly number[];
}

export interface Sample {
  wallMs: number;
  cpuMs: number;
  peakMiB: number;
}

/** The medians of one contestant, and of its ratios to the first one, round by round. */
export interface Compared extends Sample {
  name: string;
  wallRatio: number;
  cpuRatio: number;
}

/** @throws when a command fails */
export async function compare(
  contestants: readonly Contestant[],
  { rounds, warmUp = 2 }: { rounds: number; warmUp?: number },
): Promise<Compared[]> {
  const child = spawn("python3", [MEASURE], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(
    JSON.stringify({
      rounds,
      warmUp,
      commands: contestants.map(({ argv, env, exitCodes = [0] }) => ({ argv, env, exitCodes })),
    }),
  );
  const [output, complaint, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  if (code !== 0) throw new Error(complaint);
  const samples = JSON.parse(output) as Sample[][];
  const [floor = []] = samples;
  return samples.map((own, index) => {
    const of = (key: keyof Sample) => median(own.map((sample) => sample[key]));
    const ratio = (key: keyof Sample) =>
      median(own.map((sample, round) => sample[key] / (floor[round]?.[key] ?? Number.NaN)));
    return {
      name: contestants[index]?.name ?? "",
      wallMs: of("wallMs"),
      cpuMs: of("cpuMs"),
      peakMiB: of("peakMiB"),
      wallRatio: ratio("wallMs"),
      cpuRatio: ratio("cpuMs"),
    };
  });
}

/** Rows for a table: what was measured, with the first contestant as the floor. */
export function comparedRows(compared: readonly Compared[]): string[][] {
  const head = ["", "wall, ms", "of the floor", "CPU, ms", "of the floor", "peak memory, MiB"];
  const rows = compared.map(({ name, wallMs, wallRatio, cpuMs, cpuRatio, peakMiB }) => [
    name,
    wallMs.toFixed(0),
    wallRatio.toFixed(2),
    cpuMs.toFixed(0),
    cpuRatio.toFixed(2),
    peakMiB.toFixed(1),
  ]);
  return [head, ...rows];
}
