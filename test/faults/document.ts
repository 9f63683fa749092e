/** docs/reliability.md: what a full campaign found, each table in its own section between two marks. */
import { fileURLToPath } from "node:url";
import { writeSection } from "../harness/page-section.ts";
import type { CampaignOutcome } from "./campaign.ts";

const PAGE = fileURLToPath(new URL("../../docs/reliability.md", import.meta.url));

export interface Result extends CampaignOutcome {
  name: string;
  seconds: number;
}

/** @throws when the page has no section for this campaign */
export function writeResults(result: Result, seed: number): void {
  writeSection(PAGE, result.name, render(result, seed));
}

function render({ tried, findings, more, seconds }: Result, seed: number): string {
  const rows = findings.map(
    ({ what, target, found, isMet }) => `| ${what} | ${target} | ${found} | ${isMet ? "yes" : "**no**"} |`,
  );
  const table = ["| what | target | found | met |", "|---|---|---|---|", ...rows].join("\n");
  return `${tried}; seed ${seed}; ${Math.ceil(seconds / 60)} min.\n\n${table}\n\n${more?.trim() ?? ""}`;
}
