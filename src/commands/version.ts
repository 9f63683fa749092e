/** `idc-helper version`: what is installed here. */
import { EXIT } from "../exit-codes.ts";
import { VERSION } from "../version.ts";
import { type Answering, print, printJson } from "./options.ts";

export async function version({ json }: Answering): Promise<number> {
  const found = { version: VERSION, node: process.version, platform: `${process.platform}-${process.arch}` };
  if (json) printJson(found);
  else print(`idc-helper ${found.version} (Node ${found.node}, ${found.platform})`);
  return EXIT.done;
}
