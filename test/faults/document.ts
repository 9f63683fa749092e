/** docs/reliability.md: what a full campaign found, each table in its own section between two marks. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CampaignOutcome } from "./campaign.ts";

const PAGE = fileURLToPath(new URL("../../docs/reliability.md", import.meta.url));

export interface Result extends CampaignOutcome {
  name: string;
  seconds: number;
}

/** @throws when the page has no section for this campaign */
export function writeResults(result: Result, seed: number): void {
  const page = readFileSync(PAGE, "utf8");
  const [begin, end] = [`<!-- results: ${result.name} -->`, `<!-- end: ${result.name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${PAGE} has no section ${begin} … ${end}`);
  writeFileSync(PAGE, `${page.slice(0, from + begin.length)}\n\n${render(result, seed)}\n${page.slice(to)}`);
}

function render({ tried, findings, more, seconds }: Result, seed: number): string {
  const rows = findings.map(
    ({ what, target, found, isMet }) => `| ${what} | ${target} | ${found} | ${isMet ? "yes" : "**no**"} |`,
  );
  const table = ["| what | target | found | met |", "|---|---|---|---|", ...rows].join("\n");
  const tail = more === undefined ? "" : `\n${more.trim()}\n`;
  return `${tried}; seed ${seed}; ${Math.ceil(seconds / 60)} min.\n\n${table}\n${tail}`;
}
