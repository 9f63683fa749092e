/** Small YAML files of somebody else's: keys that are known, with values that are not what they should be. */
import * as fc from "fast-check";
import { anyText, damaged, word } from "../words.ts";

const value = word.chain((text) =>
  fc.constantFrom(
    text,
    JSON.stringify(text),
    `'${text.replaceAll("'", "''")}'`,
    `[${text}]`,
    `{a: ${text}}`,
    `|\n  ${text}`,
    `&x ${text}`,
    "*x",
    `!ruby/object:Gem ${text}`,
    `!!int ${text}`,
  ),
);

export function yamlOf(keys: readonly string[]): fc.Arbitrary<string> {
  const line = fc
    .tuple(
      fc.oneof({ arbitrary: fc.constantFrom(...keys), weight: 6 }, { arbitrary: word, weight: 1 }),
      fc.constantFrom(": ", ":\t", ":", " : "),
      value,
    )
    .map((parts) => parts.join(""));
  const text = fc.array(line, { maxLength: 6 }).map((all) => `---\n${all.join("\n")}\n`);
  return fc.oneof(
    { arbitrary: text, weight: 6 },
    { arbitrary: damaged(text), weight: 3 },
    { arbitrary: anyText, weight: 1 },
  );
}

export const YAML_CORPUS: readonly string[] = [
  "",
  "---",
  "~",
  "null",
  "42",
  "- a",
  "a",
  "\ufeff---\nregion: x\n",
  "region: x\nregion: y\n",
  "region: x\r\niam_session_arn: y\r\n",
  "region:\tx",
  "\tregion: x",
  "region: !!binary AAAA",
  "region: !ruby/object:Gem::Requirement {}",
  "a: &a [*a]",
  "<<: {region: x}",
  "__proto__: {region: x}",
  "__proto__: x\nconstructor: y\ntoString: z",
  ":__proto__: x",
  "[".repeat(60_000),
  `${"[".repeat(30_000)}${"]".repeat(30_000)}`,
  "a: {".repeat(15_000),
  "- ".repeat(30_000),
  `"${"a".repeat(60_000)}"`,
  Array.from({ length: 8_000 }, (_, index) => `k${index}: 0`).join("\n"),
  Array.from(
    { length: 9 },
    (_, level) =>
      `a${level}: &a${level} [${Array(9)
        .fill(level === 0 ? "x" : `*a${level - 1}`)
        .join(",")}]`,
  ).join("\n"),
  "\0".repeat(60_000),
  "\x1b[2J: \x1b[2J",
  'region: "\\e[2J"\niam_session_arn: "\\e]0;x\\a"\naws_credentials_file: "\\x9b"\n',
  'region: "\\ud800"',
  `region: x\niam_user_arn: arn:aws:iam::123456789012:user/${"a/".repeat(20_000)}\n`,
  `region: x\niam_session_arn: arn:aws${"-a".repeat(20_000)}:sts::123456789012:assumed-role/a/b\n`,
];
