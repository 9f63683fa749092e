/** Tries points side by side, each worker on a host of its own, and keeps what was broken. */
import { join } from "node:path";
import type { Bench, Subject } from "./bench.ts";
import { faultsOfAnswer } from "./invariants.ts";
import type { Journal } from "./journal.ts";
import { describePoint, keyOf, type Point, type Run, record, tryPoint } from "./points.ts";

/**
 * A call on a file is waited for at that file. Of others some counts differ between runs (a socket read in two pieces,
 * one more wake-up): a point that was missed is tried again where it stood in the run that missed it or, where that run
 * was killed before it came to it, beside.
 */
const SHIFTS = [0, 0, 1, -1, 2, -2];

export interface Broken {
  point: string;
  faults: string[];
}

export interface Attempts {
  /** How many points there are. */
  points: number;
  /** Points that were reached and judged, by fault; those of an earlier run that was interrupted are among them. */
  tried: Map<string, number>;
  /** Points that no try came to. */
  missed: string[];
  broken: Broken[];
}

export interface Plan {
  subject: Subject;
  /** In words, what is chosen. */
  scope: string;
  choose(run: Run): readonly Point[];
  directory: string;
  workers: number;
  journal: Journal;
  /** Ends it early, with what has been tried by then. */
  signal: AbortSignal;
}

export async function attempt(plan: Plan): Promise<Attempts> {
  const { subject, workers, journal, signal } = plan;
  const outcome: Attempts = { points: 0, tried: new Map(), missed: [], broken: [] };
  const benches = await Promise.all(Array.from({ length: workers }, () => subject.open()));
  try {
    const [first] = benches;
    if (first === undefined) throw new Error("there must be a worker");
    await first.prepare();
    const run = await record(first.start(), first.directory, join(plan.directory, "clean"));
    await first.judge({ code: 0 });
    const points = plan.choose(run);
    if (points.length === 0) throw new Error(`no point of ${subject.command} was chosen`);
    outcome.points = points.length;
    const isDone = (point: Point) => journal.isDone(scopeOf(plan), keyOf(point));
    for (const point of points.filter(isDone)) count(outcome, point);
    const queue = points.filter((point) => !isDone(point)).values();
    await Promise.all(
      benches.map(async (bench, n) => {
        for (const point of queue) {
          if (signal.aborted) return;
          await work(bench, point, outcome, plan, `${n}`);
        }
      }),
    );
    return outcome;
  } finally {
    await Promise.all(benches.map((bench) => bench.close()));
  }
}

const scopeOf = ({ subject, scope }: Plan) => `${subject.command}, ${subject.situation}: ${scope}`;

function count({ tried }: Attempts, { fault }: Point): void {
  tried.set(fault, (tried.get(fault) ?? 0) + 1);
}

/** Under load a host may not come up in time: that is no fault of the command, and the point is tried again. */
const ATTEMPTS = 3;

async function work(bench: Bench, point: Point, outcome: Attempts, plan: Plan, name: string): Promise<void> {
  const troubles: string[] = [];
  for (let n = 0; n < ATTEMPTS; n += 1) {
    try {
      note(await reach(bench, point, plan, name), point, outcome, plan);
      return;
    } catch (error) {
      troubles.push(error instanceof Error ? error.message : String(error));
    }
  }
  outcome.missed.push(`${describePoint(point)}; it could not be tried: ${troubles.join("; ")}`);
}

interface Reached {
  wasReached: boolean;
  met: string[];
  faults: string[];
}

async function reach(bench: Bench, point: Point, plan: Plan, name: string): Promise<Reached> {
  const reached: Reached = { wasReached: false, met: [], faults: [] };
  let seen: number | null = null;
  for (const shift of point.place === null ? SHIFTS : [null, null, null, ...SHIFTS]) {
    await bench.prepare();
    const log = join(plan.directory, `strace.${name}`);
    const nth = shift === null ? null : (seen ?? Math.max(1, point.call.nth + shift));
    const run = await tryPoint(bench.start(), point, { log, directory: bench.directory, nth });
    seen = run.nth;
    reached.wasReached = run.wasReached;
    reached.met.push(run.met ?? "nothing");
    // What a fault does that met one of Node's own calls instead is not asked; the files must be whole all the same.
    if (run.wasReached) reached.faults.push(...faultsOfAnswer(run, point.fault === "SIGKILL"));
    reached.faults.push(...(await bench.judge(run)));
    if (run.wasReached) break;
  }
  return reached;
}

function note({ wasReached, met, faults }: Reached, point: Point, outcome: Attempts, plan: Plan): void {
  if (wasReached) count(outcome, point);
  else outcome.missed.push(`${describePoint(point)}; the fault met: ${met.join(", ")}`);
  if (faults.length > 0) {
    outcome.broken.push({ point: describePoint(point), faults });
    // A full run takes an hour: whoever waits for it can begin to mend.
    console.log(`broken: ${scopeOf(plan)}: ${describePoint(point)}\n    ${faults.join("\n    ")}`);
  }
  if (wasReached && faults.length === 0) plan.journal.done(scopeOf(plan), keyOf(point));
}
