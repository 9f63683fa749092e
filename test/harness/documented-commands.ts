/** Commands that a page of ours tells its reader to type, so that tests type exactly these. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * @param page its path in the project
 * @param name of the mark before the block: `<!-- commands: NAME -->`
 * @throws when the page has no such block
 */
export function documentedCommands(page: string, name: string): string {
  const text = readFileSync(fileURLToPath(new URL(`../../${page}`, import.meta.url)), "utf8");
  const block = new RegExp(`<!-- commands: ${name} -->\\n+\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1];
  if (block === undefined) throw new Error(`${page} has no commands under the name ${name}`);
  return block;
}
