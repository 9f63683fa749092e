/**
 * The campaign in a mount namespace of its own. Whatever else on the machine makes such a namespace takes a copy of all
 * that is mounted at that moment, and a disk that is mounted anywhere cannot be taken away.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CampaignOptions, CampaignOutcome } from "../campaign.ts";

const INSIDE = fileURLToPath(new URL("inside.ts", import.meta.url));

export async function inOwnNamespace({ signal, ...options }: CampaignOptions): Promise<CampaignOutcome> {
  const result = join(options.directory, "result.json");
  const node = [process.execPath, INSIDE, JSON.stringify(options), result];
  const inside = spawn("unshare", ["--mount", "--propagation", "slave", ...node], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  // It ends with what has been tried by then.
  signal.addEventListener("abort", () => inside.kill("SIGTERM"));
  const [code] = await once(inside, "close");
  if (code !== 0) throw new Error(`the campaign ended with status ${code}`);
  return JSON.parse(readFileSync(result, "utf8"));
}
