/**
 * The campaign in a mount namespace of its own. Whatever else on the machine makes such a namespace takes a copy of all
 * that is mounted at that moment, and a disk that is mounted anywhere cannot be taken away.
 *
 * `node own-namespace.ts OPTIONS RESULT`, both in JSON, is the inner side.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CampaignOptions, CampaignOutcome } from "../campaign.ts";

const INNER = fileURLToPath(import.meta.url);

export async function inOwnNamespace({ signal, ...options }: CampaignOptions): Promise<CampaignOutcome> {
  const result = join(options.directory, "result.json");
  const node = [process.execPath, INNER, JSON.stringify(options), result];
  const inner = spawn("unshare", ["--mount", "--propagation", "slave", ...node], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  // It ends with what has been tried by then.
  signal.addEventListener("abort", () => inner.kill("SIGTERM"));
  const [code] = await once(inner, "close");
  if (code !== 0) throw new Error(`the campaign ended with status ${code}`);
  return JSON.parse(readFileSync(result, "utf8"));
}

if (process.argv[1] === INNER) {
  const [, , options = "", result = ""] = process.argv;
  const interruption = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => interruption.abort());
  const { tryAll } = await import("./campaign.ts");
  const outcome = await tryAll({ ...JSON.parse(options), signal: interruption.signal });
  writeFileSync(result, JSON.stringify(outcome));
  process.exit(0);
}
