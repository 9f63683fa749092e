/**
 * 500 hosts on this machine, each calling the real `refresh` against one emulator with a small quota; and the same fleet
 * in the simulation. They must agree, or the simulation's figures mean nothing.
 */
import { startEmulator } from "../../test/aws-emulator/emulator.ts";
import { Random } from "../../test/faults/continuity/random.ts";
import { ScratchHost } from "../../test/harness/scratch-host.ts";
import type { Bench, Outcome } from "../findings.ts";
import { rounded, table } from "../findings.ts";
import { live } from "../fleet/fleet.ts";
import { OURS } from "../fleet/policies.ts";
import type { Scenario } from "../fleet/scenarios.ts";
import { type Call, liveUntilFresh } from "./host.ts";

const HOSTS = 500;
const QUOTA = 2;
/** As many calls at once as two cores can start and still be on time. */
const ALL_DUE_WITHIN_MS = 150_000;
const EXPIRES_MS = 30 * 60_000;
const LIMIT_MS = 15 * 60_000;
const BIN_S = 30;
const SEED = 20_261_128;
/** Chance alone moves the sum of 500 hosts' calls by less than this. */
const TOLERANCE = 0.15;

export const bench: Bench = { title: "A rehearsal: 500 hosts' real calls, and the simulation of them", run };

async function run({ directory, signal }: { directory: string; signal: AbortSignal }): Promise<Outcome> {
  const real = await rehearse(directory, signal);
  const simulated = simulate();
  const differences = [
    difference("calls in all", real.calls.length, simulated.calls),
    difference("seconds until all are fresh", real.seconds, simulated.seconds),
  ];
  const bins = Math.max(simulated.perBin.length, real.perBin.length);
  const rows = Array.from({ length: bins }, (_, bin) => [
    `${bin * BIN_S} s`,
    rounded((real.perBin[bin] ?? 0) / BIN_S),
    rounded((simulated.perBin[bin] ?? 0) / BIN_S),
  ]);
  const kinds = new Map<string, number>();
  for (const { kind } of real.calls) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const told = [...kinds].map(([kind, count]) => `${kind} ${count}`).join(", ");
  return {
    findings: differences,
    more: `${HOSTS} hosts, all due within ${ALL_DUE_WITHIN_MS / 1_000} s, ${QUOTA} requests a second. Real calls: ${told}.\n\n${table([["from", "real calls a second", "simulated"], ...rows])}`,
  };
}

function difference(what: string, real: number, simulated: number) {
  const share = Math.abs(real - simulated) / simulated;
  return {
    what: `${what}: real, against ${rounded(simulated)} in the simulation`,
    target: `within ${TOLERANCE * 100} %`,
    found: `${rounded(real)} (${(share * 100).toFixed(0)} % off)`,
    isMet: share <= TOLERANCE,
  };
}

async function rehearse(directory: string, signal: AbortSignal) {
  const emulator = await startEmulator();
  emulator.settings.change({ stsRequestsPerSecond: QUOTA });
  const hosts = Array.from(
    { length: HOSTS },
    (_, index) => new ScratchHost({ endpoint: emulator.url, serial: `serial-${index}`, parent: directory }),
  );
  const random = new Random(SEED);
  const calls: Call[] = [];
  const began = performance.now();
  try {
    await Promise.all(
      hosts.map((host) =>
        liveUntilFresh({
          host,
          startsAtMs: random.next() * ALL_DUE_WITHIN_MS,
          expiresAtMs: EXPIRES_MS,
          random: () => random.next(),
          began,
          signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]),
          onCall: (call) => calls.push(call),
        }),
      ),
    );
  } finally {
    for (const host of hosts) await host.close();
    await emulator.close();
  }
  const seconds = Math.max(...calls.map(({ atMs }) => atMs)) / 1_000;
  return { calls, seconds, perBin: binned(calls.map(({ atMs }) => atMs / 1_000)) };
}

function simulate() {
  const scenario: Scenario = {
    name: "rehearsal",
    endMs: LIMIT_MS,
    overMs: 0,
    bootAt: (random) => random() * ALL_DUE_WITHIN_MS,
    expiresAtBoot: EXPIRES_MS,
    quotaAt: () => QUOTA,
  };
  // Its own next refreshes, half an hour later, are beyond the end.
  const { offered, waiting } = live(scenario, { ...OURS, scheduledAfter: () => LIMIT_MS * 2 }, HOSTS, SEED);
  const seconds = waiting.findLastIndex((count) => count > 0) + 1;
  const at = [...offered.entries()].flatMap(([second, count]) => Array<number>(count).fill(second));
  return { calls: at.length, seconds, perBin: binned(at) };
}

function binned(seconds: readonly number[]): number[] {
  const bins: number[] = [];
  for (const second of seconds) {
    const bin = Math.floor(second / BIN_S);
    while (bins.length <= bin) bins.push(0);
    bins[bin] = (bins[bin] as number) + 1;
  }
  return bins;
}
