/**
 * The table in docs/configuration.md: each key of the schema with its default, what is allowed and what it is for.
 * `node packaging/config-reference.ts` writes it; a test holds the page against it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configSchema } from "../src/config/schema.ts";
import { configKeys } from "./config-keys.ts";

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
export const REFERENCE_PAGE = at("docs/configuration.md");
const MARKED = /(<!-- keys -->\n)[\s\S]*?(<!-- end: keys -->)/;

export function configReference(): string {
  const keys = configKeys(readFileSync(at("config/config.yaml"), "utf8"));
  const rows = keys.map(({ path, value, isRequired, text }) => {
    const preset = isRequired ? "required" : `\`${value}\``;
    return `| \`${path}\` | ${preset} | ${sentence(allowed(path))} | ${sentence(text)} |`;
  });
  return ["| key | default | allowed | |", "|---|---|---|---|", ...rows].join("\n");
}

/** @returns the page with the table as it must be */
export function withReference(page: string): string {
  return page.replace(MARKED, (_, begin: string, end: string) => `${begin}\n${configReference()}\n\n${end}`);
}

/** What the program itself says when it refuses a value. */
function allowed(path: string): string {
  const [section = "", key] = path.split(".");
  const value = key === undefined ? { [section]: [] } : { [section]: { [key]: [] } };
  const issue = configSchema.safeParse(value).error?.issues.find(({ path: at }) => at.join(".") === path);
  if (issue === undefined) throw new Error(`the schema takes a list for ${path}`);
  return issue.message;
}

function sentence(text: string): string {
  return text.replaceAll("|", "\\|").replace(/\*/g, "\\*");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(REFERENCE_PAGE, withReference(readFileSync(REFERENCE_PAGE, "utf8")));
}
