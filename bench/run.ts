/**
 * `node bench/run.ts [BENCH…]`: measures, prints tables, and writes docs/performance.md, each part into its own section.
 * Exit status 1 when something that was promised was not measured to hold.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeSection } from "../test/harness/page-section.ts";
import { type Bench, type Outcome, table } from "./findings.ts";

const PAGE = fileURLToPath(new URL("../docs/performance.md", import.meta.url));

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  refresh: async () => (await import("./refresh/bench.ts")).bench,
  resident: async () => (await import("./resident/bench.ts")).bench,
  commands: async () => (await import("./commands/bench.ts")).bench,
  package: async () => (await import("./package/bench.ts")).bench,
  fleet: async () => (await import("./fleet/bench.ts")).bench,
  rehearsal: async () => (await import("./rehearsal/bench.ts")).bench,
};

async function main(names: readonly string[], signal: AbortSignal): Promise<number> {
  const unknown = names.filter((name) => !(name in BENCHES));
  if (unknown.length > 0)
    throw new Error(`there is no ${unknown.join(", ")}; there are: ${Object.keys(BENCHES).join(", ")}`);
  let isMet = true;
  for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
    const load = BENCHES[name] as () => Promise<Bench>;
    const outcome = await measure(await load(), signal);
    writeSection(PAGE, name, render(outcome));
    isMet &&= outcome.findings.every((finding) => finding.isMet);
  }
  return isMet ? 0 : 1;
}

async function measure({ title, run }: Bench, signal: AbortSignal): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), "idc-bench-"));
  console.log(`==> ${title}`);
  try {
    const outcome = await run({ directory, signal });
    for (const { what, target, found, isMet } of outcome.findings)
      console.log(`${isMet ? "met    " : "NOT MET"}  ${what}: ${found} (${target})`);
    console.log(`\n${outcome.more}\n`);
    return outcome;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function render({ findings, more }: Outcome): string {
  const rows = findings.map(({ what, target, found, isMet }) => [
    what,
    target,
    found,
    isMet ? "yes" : "**no**",
  ]);
  return [machine(), table([["what", "target", "found", "met"], ...rows]), more].join("\n\n");
}

function machine(): string {
  const [first] = cpus();
  return `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${first?.model.trim() ?? "unknown processor"}, Node ${process.version}.`;
}

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interruption.abort());
const exitCode = await main(process.argv.slice(2), interruption.signal).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return 1;
});
process.exit(exitCode);
