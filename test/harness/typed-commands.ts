/** Every command that a page tells its reader to type: in blocks for a shell, in sessions, and within lines. */
import { codeBlocks, inlineCode, read } from "./markdown.ts";
import { commandsIn } from "./shell-words.ts";

/** @returns each as its words */
export function typedCommands(page: string): string[][] {
  const text = read(page);
  const blocks = codeBlocks(text).flatMap(({ language, text: body }) => {
    if (language === "sh") return [body];
    if (language !== "console") return [];
    return [...body.matchAll(/^[#$] ((?:.*\\\n)*.*)$/gm)].map(([, command = ""]) => command);
  });
  return [...blocks, ...inlineCode(text)].flatMap(commandsIn);
}
