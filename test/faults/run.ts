/**
 * `node test/faults/run.ts [--quick] [--seed N] [CAMPAIGN…]`: the fault campaigns. Prints a table for each; exit status
 * 1 when a promise was not kept. A full run writes its tables into docs/reliability.md, each into its own section.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Tally } from "../readers/tally.ts";
import type { Campaign, CampaignOptions } from "./campaign.ts";
import { type Result, writeResults } from "./document.ts";

const DEFAULT_SEED = 20_261_124;

const CAMPAIGNS: Readonly<Record<string, () => Promise<Campaign>>> = {
  continuity: async () => (await import("./continuity/campaign.ts")).campaign,
  crash: async () => (await import("./crash/campaign.ts")).campaign,
  endurance: async () => (await import("./endurance/campaign.ts")).campaign,
  hostile: async () => (await import("./hostile/campaign.ts")).campaign,
  neighbours: async () => (await import("./neighbours/campaign.ts")).campaign,
  secrets: async () => (await import("./secrets/campaign.ts")).campaign,
  supply: async () => (await import("./supply/campaign.ts")).campaign,
};

async function main(signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      seed: { type: "string", default: String(DEFAULT_SEED) },
    },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !(name in CAMPAIGNS));
  if (unknown.length > 0) {
    throw new Error(
      `there is no campaign ${unknown.join(", ")}; there are: ${Object.keys(CAMPAIGNS).join(", ")}`,
    );
  }
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new Error(`--seed must be a whole number, not ${values.seed}`);
  const scale = values.quick ? "quick" : "full";
  const names = positionals.length > 0 ? positionals : Object.keys(CAMPAIGNS);
  console.log(`seed ${seed}, ${scale}, Node ${process.version}, ${availableParallelism()} cores\n`);
  const tally = new Tally();
  for (const name of names) {
    const result = await runOne(name, { scale, seed, signal });
    for (const { what, target, found, isMet, detail } of result.findings) {
      const told = `${what}: ${found} (target: ${target})`;
      tally.record(told, isMet ? undefined : (detail ?? "not met"));
    }
    console.log("");
    if (scale === "full") writeResults(result, seed);
  }
  console.log(tally.summary());
  return tally.exitCode;
}

async function runOne(name: string, options: Omit<CampaignOptions, "directory">): Promise<Result> {
  const load = CAMPAIGNS[name];
  if (load === undefined) throw new Error(`there is no campaign ${name}`);
  const { title, run } = await load();
  const directory = mkdtempSync(join(tmpdir(), `idc-faults-${name}-`));
  const started = performance.now();
  console.log(`==> ${title}`);
  try {
    const outcome = await run({ ...options, directory });
    const seconds = (performance.now() - started) / 1_000;
    console.log(`${outcome.tried}; ${seconds.toFixed(0)} s`);
    if (outcome.more !== undefined) console.log(`\n${outcome.more}\n`);
    return { name, seconds, ...outcome };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interruption.abort());
const exitCode = await main(interruption.signal).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return 1;
});
process.exit(exitCode);
