/** `node inside.ts OPTIONS RESULT`, both in JSON: the campaign, once it has a mount namespace of its own. */
import { writeFileSync } from "node:fs";
import { tryAll } from "./campaign.ts";

const [, , options = "", result = ""] = process.argv;
const interruption = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => interruption.abort());
const outcome = await tryAll({ ...JSON.parse(options), signal: interruption.signal });
writeFileSync(result, JSON.stringify(outcome));
process.exit(0);
