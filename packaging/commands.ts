/** Every command and option as the command line defines them, for man page and completions. Hidden ones are left out. */
import type { Command, Option } from "commander";
import { commandLine } from "../src/command-line.ts";

export interface OptionFacts {
  /** As typed, without the value: `--config`, `-V`. */
  names: string[];
  /** What stands for the value, such as `<file>`; null for a switch. */
  value: string | null;
  description: string;
  fallback: string | null;
  isRepeatable: boolean;
}

export interface CommandFacts {
  name: string;
  /** Such as "How it stands:". */
  group: string;
  summary: string;
  options: OptionFacts[];
}

export interface ProgramFacts {
  name: string;
  description: string;
  commands: CommandFacts[];
  /** Of the program itself. */
  options: OptionFacts[];
}

export function programFacts(): ProgramFacts {
  const program = commandLine(() => undefined);
  const help = program.createHelp();
  return {
    name: program.name(),
    description: program.description(),
    options: help.visibleOptions(program).map(optionFacts),
    commands: help
      .visibleCommands(program)
      .filter((command) => command.name() !== "help")
      .map((command: Command) => ({
        name: command.name(),
        group: command.helpGroup(),
        summary: command.summary(),
        options: help.visibleOptions(command).map(optionFacts),
      })),
  };
}

function optionFacts(option: Option): OptionFacts {
  return {
    names: [option.short, option.long].filter((name) => typeof name === "string"),
    value: /<.*>/.exec(option.flags)?.[0] ?? null,
    description: option.description,
    fallback: typeof option.defaultValue === "string" ? option.defaultValue : null,
    // The one use of a parser of our own: collecting.
    isRepeatable: option.parseArg !== undefined,
  };
}
