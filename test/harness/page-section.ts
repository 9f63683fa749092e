/** Pages that hold measured results: each in its own section, between two marks. */
import { readFileSync, writeFileSync } from "node:fs";

/** @throws when the page has no section of this name */
export function writeSection(page: string, name: string, text: string): void {
  const before = readFileSync(page, "utf8");
  const [begin, end] = [`<!-- results: ${name} -->`, `<!-- end: ${name} -->`];
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${page} has no section ${begin} … ${end}`);
  writeFileSync(page, `${before.slice(0, from + begin.length)}\n\n${text.trim()}\n\n${before.slice(to)}`);
}
