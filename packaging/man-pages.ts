/**
 * The man pages: docs/man/NAME.SECTION.md with what is stated elsewhere put in (commands and options from the
 * command line's definitions, keys from the shipped config file), made into roff by pandoc.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type CommandFacts, type OptionFacts, type ProgramFacts, programFacts } from "./commands.ts";
import { type ConfigKey, configKeys } from "./config-keys.ts";
import { BUILD, NAME, ROOT, sourceDateEpoch, VERSION } from "./project.ts";
import { orSay, requireTools } from "./tools.ts";

const SOURCES = join(ROOT, "docs/man");

const SECTIONS: Readonly<Record<string, string>> = {
  1: "User Commands",
  5: "File Formats",
  8: "System Administration",
};

/** @returns file names such as `idc-helper.1` with their roff */
export function manPages(): Map<string, string> {
  const parts: Readonly<Record<string, () => string>> = {
    commands: () => commandsText(programFacts()),
    keys: () => keysText(configKeys(readFileSync(join(ROOT, "config/config.yaml"), "utf8"))),
  };
  const pages = new Map<string, string>();
  for (const file of readdirSync(SOURCES).sort()) {
    const name = file.replace(/\.md$/, "");
    const source = readFileSync(join(SOURCES, file), "utf8").replaceAll(
      /^<!-- (\w+) -->$/gm,
      (_, part: string) => {
        const text = parts[part];
        if (text === undefined) throw new Error(`${file}: nothing is known of ${part}`);
        return text();
      },
    );
    pages.set(name, roff(name, source));
  }
  return pages;
}

/** `share/man` of a staging tree, each page gzipped without a name or date inside. */
export function writeManPages(directory: string): void {
  for (const [name, text] of manPages()) {
    const section = join(directory, `man${sectionOf(name)}`);
    mkdirSync(section, { recursive: true });
    const file = join(section, `${name}.gz`);
    writeFileSync(file, gzipSync(text, { level: 9 }));
    // Whatever the caller's umask.
    chmodSync(file, 0o644);
  }
}

async function main(): Promise<void> {
  requireTools("make man", ["pandoc"]);
  const directory = join(BUILD, "man");
  writeManPages(directory);
  console.log(`${directory}: ${[...manPages().keys()].join(", ")}`);
}

function roff(name: string, source: string): string {
  const section = sectionOf(name);
  const date = new Date(sourceDateEpoch() * 1_000).toISOString().slice(0, 10);
  const metadata: Readonly<Record<string, string>> = {
    title: name.slice(0, -2).toUpperCase(),
    section,
    header: SECTIONS[section] ?? "",
    footer: `${NAME} ${VERSION}`,
    date,
  };
  // "smart" would turn the two dashes of an option outside code into one.
  const args = ["--standalone", "--from=markdown-smart-tex_math_dollars", "--to=man"];
  for (const [key, value] of Object.entries(metadata)) args.push("--metadata", `${key}=${value}`);
  const text = execFileSync("pandoc", args, { input: source, encoding: "utf8" });
  // Fonts that not every roff has, and paragraphs that a heading begins anyway.
  return text
    .replaceAll("\\f[C]", "\\f[R]")
    .replaceAll("\\f[V]", "\\f[B]")
    .replaceAll(/^(\.S[HS] .*\n)\.PP\n/gm, "$1");
}

function sectionOf(name: string): string {
  return name.slice(-1);
}

function commandsText({ commands, options }: ProgramFacts): string {
  const common = commonOptions(commands);
  const groups = [...new Set(commands.map(({ group }) => group))];
  const sections = groups.map((group) => {
    const texts = commands
      .filter((command) => command.group === group)
      .map((command) => {
        const own = command.options.filter((option) => !isIn(option, common)).map(optionText);
        return [`### ${command.name}`, sentence(command.summary), ...own].join("\n\n");
      });
    return `## ${group.replace(/:$/, "")}\n\n${texts.join("\n\n")}`;
  });
  const shared = common.map((option) => {
    const without = commands
      .filter((command) => !isIn(option, command.options))
      .map(({ name }) => `**${name}**`);
    return `${optionText(option)}${without.length === 0 ? "" : ` Not of ${without.join(" and ")}.`}`;
  });
  const own = options.filter((option) => !isIn(option, common)).map((option) => `${optionText(option)}`);
  return `# COMMANDS\n\n${sections.join("\n\n")}\n\n# OPTIONS OF EVERY COMMAND\n\n${[...shared, ...own].join("\n\n")}`;
}

/** What all commands but one or two take is told once. */
function commonOptions(commands: readonly CommandFacts[]): OptionFacts[] {
  const everywhere = (option: OptionFacts) =>
    commands.filter((command) => isIn(option, command.options)).length >= commands.length - 2;
  const all = commands.flatMap((command) => command.options).filter(everywhere);
  return all.filter((option, index) => !isIn(option, all.slice(0, index)));
}

function isIn(option: OptionFacts, list: readonly OptionFacts[]): boolean {
  return list.some(({ names }) => names.join() === option.names.join());
}

function optionText({ names, value, description, fallback }: OptionFacts): string {
  const term = names.map(
    (name) => `**${escaped(name)}**${value === null ? "" : ` *${escaped(value.slice(1, -1))}*`}`,
  );
  const ending = fallback === null ? "" : ` The default is *${escaped(fallback)}*.`;
  return `${term.join(", ")}\n:   ${sentence(description)}${ending}`;
}

function keysText(keys: readonly ConfigKey[]): string {
  const key = ({ path, value, isRequired, text }: ConfigKey) => {
    const said = isRequired ? `Required; such as \`${value}\`.` : `Default: \`${value}\`.`;
    return `**${escaped(path)}**\n:   ${said}${text === "" ? "" : ` ${sentence(text)}`}`;
  };
  return keys.map(key).join("\n\n");
}

function sentence(text: string): string {
  const first = /^\w+:\/\//.test(text) ? text : `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}`;
  return `${escaped(first)}${/[.?!]$/.test(first) ? "" : "."}`;
}

/** What Markdown would take for markup. */
function escaped(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]<>#|~^@]/g, "\\$&");
}

if (import.meta.main) await orSay(main());
