/** Tries points side by side, each worker on a host of its own, and keeps what was broken. */
import { join } from "node:path";
import type { Bench, Subject } from "./bench.ts";
import { faultsOfAnswer } from "./invariants.ts";
import { describePoint, type Point, type Run, record, tryPoint } from "./points.ts";

/**
 * Some counts differ between runs (a socket read in two pieces, one more wake-up): a point that was missed is tried
 * again where it stood in the run that missed it or, where that run was killed before it came to it, beside.
 */
const SHIFTS = [0, 0, 1, -1, 2, -2, 3, -3, 4, -4, 0, 1];

export interface Broken {
  point: string;
  faults: string[];
}

export interface Attempts {
  /** Points that were reached and judged, by fault. */
  tried: Map<string, number>;
  /** Points that no try came to. */
  missed: string[];
  broken: Broken[];
}

export interface Plan {
  subject: Subject;
  directory: string;
  workers: number;
  signal: AbortSignal;
  choose(run: Run): readonly Point[];
}

export async function attempt(plan: Plan): Promise<Attempts> {
  const { subject, workers } = plan;
  const benches = await Promise.all(Array.from({ length: workers }, () => subject.open()));
  try {
    const [first] = benches;
    if (first === undefined) throw new Error("there must be a worker");
    await first.prepare();
    const run = await record(first.start(), first.directory, join(plan.directory, "clean"));
    const points = plan.choose(run);
    if (points.length === 0) throw new Error(`no point of ${subject.command} was chosen`);
    const outcome: Attempts = { tried: new Map(), missed: [], broken: [] };
    const queue = points.values();
    await Promise.all(benches.map((bench, n) => work(bench, queue, outcome, plan, `${n}`)));
    return outcome;
  } finally {
    await Promise.all(benches.map((bench) => bench.close()));
  }
}

async function work(
  bench: Bench,
  queue: Iterable<Point>,
  { tried, missed, broken }: Attempts,
  { directory, signal }: Plan,
  name: string,
): Promise<void> {
  for (const point of queue) {
    signal.throwIfAborted();
    const faults: string[] = [];
    const met: string[] = [];
    let wasReached = false;
    let seen: number | null = null;
    for (const shift of SHIFTS) {
      await bench.prepare();
      const log = join(directory, `strace.${name}`);
      const nth = seen ?? Math.max(1, point.call.nth + shift);
      const run = await tryPoint(bench.start(), point, { log, directory: bench.directory, nth });
      seen = run.nth;
      wasReached = run.wasReached;
      met.push(run.met ?? "nothing");
      // What a fault does that met one of Node's own calls instead is not asked; the files must be whole all the same.
      if (wasReached) faults.push(...faultsOfAnswer(run, point.fault === "SIGKILL"));
      faults.push(...(await bench.judge(run)));
      if (wasReached) break;
    }
    if (wasReached) tried.set(point.fault, (tried.get(point.fault) ?? 0) + 1);
    else missed.push(`${describePoint(point)}; the fault met: ${met.join(", ")}`);
    if (faults.length > 0) broken.push({ point: describePoint(point), faults });
  }
}
