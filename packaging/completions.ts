/**
 * Completions for bash and zsh, made from the command definitions. They need nothing of the host besides the shell
 * itself, and never start the program.
 */
import type { OptionFacts, ProgramFacts } from "./commands.ts";

export function bashCompletion({ name, commands, options }: ProgramFacts): string {
  const valued = [...commands.flatMap((each) => each.options), ...options].filter(
    ({ value }) => value !== null,
  );
  const files = unique(valued.filter(takesFile).flatMap(({ names }) => names));
  const others = unique(valued.filter((each) => !takesFile(each)).flatMap(({ names }) => names));
  const cases = commands.map((each) => `    ${each.name}) words="${words(each.options)}" ;;`);
  return `# bash completion of ${name}, made from its command definitions
_idc_helper() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words index
  COMPREPLY=()
  case $previous in
    ${files.join("|")})
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return ;;
    ${others.join("|")}) return ;;
  esac
  words="${[...commands.map((each) => each.name), "help"].join(" ")} ${words(options)}"
  for ((index = 1; index < COMP_CWORD; index++)); do
    case \${COMP_WORDS[index]} in
${cases.join("\n").replaceAll(/^ {4}/gm, "      ")}
      help) words="${commands.map((each) => each.name).join(" ")}" ;;
      *) continue ;;
    esac
    break
  done
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _idc_helper ${name}
`;
}

export function zshCompletion({ name, commands, options }: ProgramFacts): string {
  const list = commands.map((each) => `    ${quote(`${escapeColon(each.name)}:${each.summary}`)}`);
  const cases = commands.map(
    (each) =>
      `    ${each.name})\n      _arguments -s ${each.options.map(zshOption).join(" \\\n        ")} ;;`,
  );
  return `#compdef ${name}
# zsh completion of ${name}, made from its command definitions
local curcontext=$curcontext state line
local -a commands
_arguments -C ${options.map(zshOption).join(" \\\n  ")} \\
  '1: :->command' '*:: :->options'
case $state in
  command)
    commands=(
${list.join("\n")}
    'help:show the help of a command'
    )
    _describe -t commands 'command' commands ;;
  options)
    case $line[1] in
${cases.join("\n").replaceAll(/^/gm, "  ")}
      help)
        _arguments '1:command:(${commands.map((each) => each.name).join(" ")})' ;;
    esac ;;
esac
`;
}

function zshOption(option: OptionFacts): string {
  const value = option.value?.replaceAll(/[<>]/g, "") ?? null;
  const action = value === null ? "" : `:${value}:${takesFile(option) ? "_files" : " "}`;
  const text = option.description.replaceAll(/[[\]\\:]/g, (character) => `\\${character}`);
  const excluded = option.isRepeatable ? "*" : `(${option.names.join(" ")})`;
  return option.names.map((each) => quote(`${excluded}${each}[${text}]${action}`)).join(" ");
}

function takesFile({ value }: OptionFacts): boolean {
  return value === "<file>";
}

function words(options: readonly OptionFacts[]): string {
  return options.flatMap(({ names }) => names).join(" ");
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

function escapeColon(text: string): string {
  return text.replaceAll(":", "\\:");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
