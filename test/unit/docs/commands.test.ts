/** What the documentation tells its reader to type is there: commands, options, make's targets, events, keys. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { commandLine } from "../../../src/command-line.ts";
import { configFromText } from "../../../src/config/load.ts";
import { FAILURE_KINDS } from "../../../src/failure.ts";
import { documentedEvents } from "../../harness/event-docs.ts";
import { codeBlocks, PAGES, ROOT, read } from "../../harness/markdown.ts";
import { commandsIn } from "../../harness/shell-words.ts";
import { typedCommands } from "../../harness/typed-commands.ts";
import { exampleCommands } from "../../monitoring/files.ts";

/** @returns what our command line says against these words; null when it takes them */
function refusal(words: readonly string[]): string | null {
  const program = commandLine(() => undefined);
  const silent = (command: Command) =>
    command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  silent(program);
  for (const command of program.commands) silent(command).action(() => undefined);
  try {
    program.parse([...words], { from: "user" });
    return null;
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return /^commander\.(?:help|version)/.test(code) ? null : message;
  }
}

test("an option that is not there would be noticed", () => {
  expect(refusal(["status", "--jsn"])).toContain("--jsn");
  expect(refusal(["statsu"])).toContain("statsu");
  expect(refusal(["register", "--tag"])).toContain("argument missing");
  expect(
    commandsIn("a \\\n  --b 'c d' > f | idc-helper x; # y\ncat >z <<'E'\nidc-helper no\nE\nlast"),
  ).toEqual([["a", "--b", "c d"], ["idc-helper", "x"], ["cat"], ["last"]]);
});

describe.each(PAGES)("%s", (page) => {
  const commands = typedCommands(page);

  test("shows idc-helper commands with options that it has", () => {
    const ours = commands.filter(([program = ""]) => /^(?:dist\/)?idc-helper$/.test(program));
    const refused = ours
      .filter(
        (words) =>
          words.length > 1 && !words.some((word) => /[…]|^[A-Z]+$|\*/.test(word.replace(/^web-\*$/, ""))),
      )
      .map(([, ...words]) => ({ words: words.join(" "), refusal: refusal(words) }))
      .filter(({ refusal: why }) => why !== null);
    expect(refused).toEqual([]);
  });

  test("names targets of make that there are", () => {
    const makefile = readFileSync(join(ROOT, "Makefile"), "utf8");
    const targets = new Set([...makefile.matchAll(/^([a-z0-9-]+):/gm)].map(([, name]) => name));
    const named = commands
      .map((words) => words.filter((word) => !/^\w+=/.test(word)))
      .filter(([program]) => program === "make")
      .flatMap(([, ...words]) => words);
    expect(named.filter((target) => !targets.has(target))).toEqual([]);
  });

  test("asks the journal for events and kinds that there are", () => {
    const asked = commands
      .filter(([program]) => program === "journalctl")
      .flat()
      .flatMap((word) => {
        const [, field, value] = /^IDC_(EVENT|FAILURE_KIND)=(.+)$/.exec(word) ?? [];
        return field === undefined ? [] : [[field, value]];
      });
    const events = documentedEvents();
    const kinds: readonly string[] = FAILURE_KINDS;
    const unknown = asked.filter(([field, value = ""]) =>
      field === "EVENT" ? !events.has(value) : !kinds.includes(value),
    );
    expect(unknown).toEqual([]);
  });

  test("shows configuration that is valid", () => {
    const required = {
      serial: "web-1",
      region: "ap-northeast-2",
      role_arn: "arn:aws:iam::123456789012:role/Host",
    };
    for (const { language, text } of codeBlocks(read(page))) {
      // A block that begins by naming another file is none of ours.
      if (language !== "yaml" || /^# (?!idc)/.test(text)) continue;
      const whole = JSON.stringify({ ...required, ...(load(text) as object) });
      expect(() => configFromText(whole, { path: page, unknownKeys: "error", env: {} }), text).not.toThrow();
    }
  });
});

test("the examples for Nagios, Icinga and Zabbix call commands that there are", () => {
  const commands = exampleCommands();
  expect(commands).toHaveLength(5);
  expect(commands.map((words) => refusal(words.split(" ")))).toEqual(commands.map(() => null));
});

test("docs/troubleshooting.md has every kind of failure, and none that is gone", () => {
  const section = read("docs/troubleshooting.md").split("## By kind of failure")[1]?.split("\n## ")[0] ?? "";
  const listed = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, kind]) => kind);
  expect(listed.sort()).toEqual([...FAILURE_KINDS].sort());
});
