/** One thread of the campaign: lives through the traces that it is given, and hands back the sum. */
import { parentPort, workerData } from "node:worker_threads";
import type { Config } from "../../../src/config/config.ts";
import { add, type Counts, noCounts } from "./counts.ts";
import { OurService } from "./our-service.ts";
import { liveThrough } from "./trace.ts";
import { Killed } from "./virtual-process.ts";

export interface Work {
  seeds: number[];
  days: number;
  config: Config;
  isTold: boolean;
}

const { seeds, days, config, isTold } = workerData as Work;

// Errors are thrown here by the million, and nobody reads where.
Error.stackTraceLimit = isTold ? 10 : 0;

// What a killed process left unfinished, and nobody waits for.
process.on("unhandledRejection", (error) => {
  if (!(error instanceof Killed)) throw error;
});

let sum: Counts = noCounts();
for (const seed of seeds) {
  const tell = isTold
    ? (when: number, what: string) => console.log(`${new globalThis.Date(when).toISOString()} ${what}`)
    : undefined;
  const counts = await liveThrough({
    seed,
    days,
    makeProgram: (host) =>
      new OurService(host, config, isTold ? (what) => tell?.(host.time.now, what) : null),
    credentialsFile: config.credentialsFile.path,
    ...(tell === undefined ? {} : { tell }),
  });
  sum = add(sum, counts);
}
parentPort?.postMessage(sum);
