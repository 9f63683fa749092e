/** A thread of the campaign: lives through the traces that it is given, and hands back the sum for each program. */
import { parentPort, workerData } from "node:worker_threads";
import { DEFAULT_PATHS, stateFiles } from "../../../src/config/paths.ts";
import { add, type Counts, noCounts } from "./counts.ts";
import type { VirtualHost } from "./host.ts";
import { OurService } from "./our-service.ts";
import type { Program } from "./program.ts";
import { FILE, makeToday, type Today } from "./today.ts";
import { liveThrough } from "./trace.ts";
import { Killed } from "./virtual-process.ts";

export type ProgramName = "ours" | Today;

export interface Work {
  programs: readonly ProgramName[];
  days: number;
  /** Whether to print what happens, for whoever wants to see why. */
  isTold: boolean;
}

/** Is sent as often as there is something to do. */
export type Portion = readonly number[];
export type Sums = Map<ProgramName, Counts>;

const { programs, days, isTold } = workerData as Work;
const ourFile = stateFiles(DEFAULT_PATHS).credentials;

// Errors are thrown here by the million, and nobody reads where.
Error.stackTraceLimit = isTold ? 10 : 0;
// What a killed process left unfinished, and nobody waits for.
process.on("unhandledRejection", (error) => {
  if (!(error instanceof Killed)) throw error;
});

const print = (when: number, what: string) =>
  console.log(`${new globalThis.Date(when).toISOString()} ${what}`);

function make(name: ProgramName, host: VirtualHost): Program {
  if (name !== "ours") return makeToday(name, host);
  return new OurService(host, isTold ? (what) => print(host.time.now, what) : null);
}

async function liveThroughAll(seeds: Portion): Promise<Sums> {
  const sums: Sums = new Map(programs.map((name) => [name, noCounts()]));
  for (const seed of seeds) {
    for (const name of programs) {
      const counts = await liveThrough({
        seed,
        days,
        makeProgram: (host) => make(name, host),
        credentialsFile: name === "ours" ? ourFile : FILE,
        tell: isTold ? print : null,
      });
      sums.set(name, add(sums.get(name) ?? noCounts(), counts));
    }
  }
  return sums;
}

parentPort?.on("message", (seeds: Portion) => {
  void liveThroughAll(seeds).then((sums) => parentPort?.postMessage(sums));
});
