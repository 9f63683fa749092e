/** The commands in a shell text, as far as our documentation needs a shell. */

/** @returns each simple command as its words, comments, redirections and here-documents left out */
export function commandsIn(text: string): string[][] {
  const joined = text.replaceAll("\\\n", " ").replace(/<<'?(\w+)'?([^\n]*)\n[\s\S]*?^\1$/gm, "$2");
  return joined.split("\n").flatMap(commandsOfLine);
}

function commandsOfLine(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const [token] of line.matchAll(
    /#.*$|'[^']*'|"[^"]*"|\|\||&&|[|;&]|\d*[<>]+&?\d*\s*\S*|[^\s'"|;&<>]+/g,
  )) {
    const current = commands.at(-1);
    if (token.startsWith("#") && current?.length === 0) break;
    if (/^(?:\|\|?|&&?|;)$/.test(token)) commands.push([]);
    else if (!/^\d*[<>]/.test(token)) current?.push(token.replace(/^['"]|['"]$/g, ""));
  }
  return commands.filter((words) => words.length > 0);
}
