/** Lives through one trace with one program, and counts. */
import { AGENT_CONFIG } from "./agent.ts";
import { type Counts, noCounts } from "./counts.ts";
import { drawTrace } from "./faults.ts";
import { inhabit, VirtualHost } from "./host.ts";
import { Judge } from "./judge.ts";
import type { Program } from "./program.ts";
import { Random } from "./random.ts";

const START = Date.UTC(2027, 0, 4, 0, 7);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export type MakeProgram = (host: VirtualHost) => Program;

export interface TraceOptions {
  seed: number;
  days: number;
  makeProgram: MakeProgram;
  /** Where the file is that the program writes. */
  credentialsFile: string;
  /** Is told what happens, for whoever wants to see why. */
  tell: ((when: number, what: string) => void) | null;
}

export async function liveThrough({
  seed,
  days,
  makeProgram,
  credentialsFile,
  tell,
}: TraceOptions): Promise<Counts> {
  const random = new Random(seed);
  const trace = drawTrace(random, seed, days);
  const counts = noCounts();
  counts.traces = 1;
  counts.days = days;
  const judge = new Judge(counts, credentialsFile, tell ?? (() => undefined));
  const host = new VirtualHost(START, new Random(seed ^ 0x5eed), trace.drift, judge);
  host.sts.longestMs = trace.longestSessionMs;
  judge.attach(host);
  inhabit(host);
  Math.random = () => host.random.next();
  host.disk.put(AGENT_CONFIG, "");
  const program = makeProgram(host);
  host.boot();
  program.boot(() => host.agent.start());
  for (const { at, what, happen } of trace.happenings) {
    host.time.at(
      START + at,
      () => {
        tell?.(host.time.now, what);
        happen(host, program);
        judge.noteHost();
      },
      { isAsync: true },
    );
  }
  const passMinute = () => {
    judge.minutePasses();
    host.time.at(host.time.now + MINUTE_MS, passMinute);
  };
  host.time.at(START, passMinute);
  for (let day = 1; day <= days; day += 1)
    host.time.at(START + day * DAY_MS - 1, () => judge.dayEnds(trace.isQuiet));
  await host.time.runUntil(START + days * DAY_MS);
  program.lose();
  host.powerOff();
  judge.finish(seed);
  return counts;
}
