/** The file as YAML: what is read, what is refused, and with which line. */
import { describe, expect, test } from "vitest";
import { parseYaml, YamlError } from "../../../src/config/yaml.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { issuesOf, loadText, REQUIRED, withLines } from "./config-file.ts";

const scratch = useScratchDirectory();
const issues = (text: string) => issuesOf(scratch("config.yaml"), text);

describe("files that an editor or another system made are read", () => {
  test.each([
    ["with a byte order mark", `\uFEFF${withLines()}`],
    ["with carriage returns", withLines().replaceAll("\n", "\r\n")],
    ["without a newline at the end", REQUIRED.join("\n")],
    ["with a document marker", `---\n${withLines()}...\n`],
    ["with comments", `# one\n\n${withLines("# two")}`],
    ["in flow style", `{${REQUIRED.join(", ")}}`],
    ["with quotes", withLines().replace("serial-ABCDEFG", '"serial-ABCDEFG"')],
  ])("%s", async (_, text) => {
    const { serial, region } = await loadText(scratch("config.yaml"), text);
    expect({ serial, region }).toEqual({ serial: "serial-ABCDEFG", region: "ap-northeast-2" });
  });

  test("with a thousand blank lines before the first key, at once", async () => {
    const { serial } = await loadText(scratch("config.yaml"), `${"\n".repeat(1_000)}${withLines()}`);
    expect(serial).toBe("serial-ABCDEFG");
  });
});

describe("files that say nothing lack the three required keys", () => {
  test.each([
    ["an empty one", ""],
    ["blank lines", "\n \n\t\n"],
    ["comments", "# one\n  # two\n"],
    ["comments with carriage returns", "# one\r\n\r\n# two\r\n"],
    ["a byte order mark", "\uFEFF"],
    ["a document marker", "---\n"],
    ["null", "null\n"],
  ])("%s", async (_, text) => {
    expect((await issues(text)).map(({ line, key }) => [line, key])).toEqual([
      [1, "serial"],
      [1, "region"],
      [1, "role_arn"],
    ]);
  });
});

describe("what is no mapping is refused as a whole", () => {
  test.each([
    ["- serial: x\n", "a list"],
    ["hello\n", '"hello"'],
  ])("%j", async (text, found) => {
    expect(await issues(text)).toMatchObject([
      {
        line: 1,
        key: "",
        message: `found ${found}; allowed: keys and values, at least serial, region and role_arn`,
      },
    ]);
  });
});

describe("what is no YAML that we accept is refused with its line", () => {
  test.each([
    ["a tab as indentation", withLines("log:", "\tlevel: info"), 5, "tab"],
    ["a key written twice", withLines("serial: other"), 4, "duplicated"],
    ["a quote that is never closed", withLines('network: "', "log: {}"), 5, ""],
    ["an alias", withLines("x: &a 1", "y: *a"), 5, "aliases"],
    ["aliases that would expand without bound", bomb(), 2, "aliases"],
    ["a tag", withLines("x: !!int 5"), 4, "tag"],
    ["a key that is a list", withLines("? [a]", ": b"), 4, "key"],
    ["fifty levels", withLines(`x: ${"[".repeat(50)}${"]".repeat(50)}`), 4, "maxDepth"],
  ])("%s", async (_, text, line, message) => {
    const [issue, ...others] = await issues(text);
    expect(others).toEqual([]);
    expect(issue?.message).toMatch(/^not valid YAML: ./);
    expect(issue?.message).toContain(message);
    if (message !== "key") expect(issue?.line).toBe(line);
  });

  test("two documents in one file", async () => {
    expect(await issues(`${withLines()}---\n${withLines()}`)).toMatchObject([
      { message: expect.stringContaining("single document") },
    ]);
  });

  test("and the error does not repeat what stands there: it may be a password", () => {
    expect(() => parseYaml("network:\n  proxy: http://u:geheim@h: x\n")).toThrow(YamlError);
    expect(() => parseYaml("network:\n  proxy: http://u:geheim@h: x\n")).toThrow(/^(?!.*geheim)/s);
  });
});

test("a line is that of the key, in nested and in flow mappings, past lists and multi-line texts", () => {
  const { lineOf } = parseYaml(
    [
      "a: 1",
      "b:",
      "  - x: 1",
      "  - y: 2",
      "c: |",
      "  text: no key",
      "  d: nor this",
      "d: { e: 1,",
      "  f: 2 }",
      "g:",
      "  h:",
      "    i: 3",
    ].join("\n"),
  );
  expect([["a"], ["b"], ["c"], ["d"], ["d", "e"], ["d", "f"], ["g", "h", "i"]].map(lineOf)).toEqual([
    1, 2, 5, 8, 8, 9, 12,
  ]);
  expect(lineOf(["g", "h", "absent"])).toBe(11);
  expect(lineOf(["absent"])).toBe(1);
});

test("the largest config allowed, all of it unknown keys, is told line by line and not in minutes", async () => {
  const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: v`);
  const found = await issues(withLines(...keys));
  expect(found).toHaveLength(20_000);
  expect(found.at(-1)).toMatchObject({ line: 20_003, key: "k19999" });
});

function bomb(): string {
  const levels = Array.from(
    "bcdefghij",
    (name, index) => `${name}: &${name} [${`*${"abcdefghij"[index]},`.repeat(9)}]`,
  );
  return ["a: &a [x,x,x,x,x,x,x,x,x]", ...levels].join("\n");
}
