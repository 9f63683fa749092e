/** The program as it is built: a file for each of its parts (packaging/parts.ts). */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const DIST = fileURLToPath(new URL("../../../dist/", import.meta.url));
/** What runs in processes of its own, which no fault befalls. */
const STARTED = /^(run|refresh|status|sync-agent)\.cjs$/;

/** Every part's text, in the order of their names. */
export const programText = (): string => textOf(parts());

/** What an operator's command loads, libraries included. */
export const operatorText = (): string => textOf(parts().filter((name) => !STARTED.test(name)));

const parts = (): string[] =>
  readdirSync(DIST)
    .filter((name) => name.endsWith(".cjs"))
    .sort();

const textOf = (names: readonly string[]): string =>
  names.map((name) => readFileSync(`${DIST}${name}`, "utf8")).join("\n");
