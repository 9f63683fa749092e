/**
 * The traces, spread over threads that fetch their work in portions, so that none is left waiting for another. A run
 * that is interrupted ends with what it has; one that keeps its sums in a file goes on from there.
 */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { add, type Counts, noCounts } from "./counts.ts";
import type { ProgramName, Sums, Work } from "./worker.ts";

const PORTION = 2;

export interface Lives {
  /** The bundled simulator. */
  file: string;
  seeds: readonly number[];
  programs: readonly ProgramName[];
  days: number;
  /** Where the sums are kept between runs; undefined to keep none. */
  kept?: string | undefined;
  signal: AbortSignal;
}

/** One line of the kept file. */
interface Kept {
  /** Of the simulator and what it was asked: another one has lived other lives. */
  of: string;
  seeds: number[];
  sums: [ProgramName, Counts][];
}

/** @returns the sums of all threads, by program */
export async function liveThroughAll({ file, seeds, programs, days, kept, signal }: Lives): Promise<Sums> {
  const of = createHash("sha256").update(readFileSync(file)).update(`${programs} ${days}`).digest("hex");
  const sums: Sums = new Map(programs.map((name) => [name, noCounts()]));
  const count = (part: Iterable<[ProgramName, Counts]>) => {
    for (const [name, counts] of part) sums.set(name, add(sums.get(name) ?? noCounts(), counts));
  };
  const done = new Set<number>();
  const isWanted = new Set(seeds);
  for (const portion of kept === undefined ? [] : readKept(kept, of)) {
    if (portion.seeds.some((seed) => done.has(seed) || !isWanted.has(seed))) continue;
    for (const seed of portion.seeds) done.add(seed);
    count(portion.sums);
  }
  const left = seeds.filter((seed) => !done.has(seed));
  const work: Work = { programs, days, isTold: false };
  const thread = async () => {
    // The schedule is local time; which one is no matter, but it must be the same everywhere.
    const worker = new Worker(file, {
      workerData: work,
      env: { ...process.env, TZ: "Asia/Seoul" },
      // Nearly everything here is short-lived.
      resourceLimits: { maxYoungGenerationSizeMb: 64 },
    });
    try {
      while (left.length > 0 && !signal.aborted) {
        const portion = left.splice(0, PORTION);
        const part = await answerOf(worker, portion);
        count(part);
        if (kept === undefined) continue;
        const line: Kept = { of, seeds: portion, sums: [...part] };
        appendFileSync(kept, `${JSON.stringify(line)}\n`);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, thread));
  return sums;
}

function readKept(path: string, of: string): Kept[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.flatMap((line) => {
    try {
      const portion = JSON.parse(line) as Kept;
      return portion.of === of ? [portion] : [];
    } catch {
      // The last line of a run that was killed.
      return [];
    }
  });
}

function answerOf(worker: Worker, portion: number[]): Promise<Sums> {
  return new Promise((resolve, reject) => {
    const ended = (code: number) =>
      reject(new Error(`a thread of the simulator ended with status ${code} in seeds ${portion.join(", ")}`));
    worker.once("error", reject);
    worker.once("exit", ended);
    worker.once("message", (sums: Sums) => {
      worker.off("error", reject);
      worker.off("exit", ended);
      resolve(sums);
    });
    worker.postMessage(portion);
  });
}
