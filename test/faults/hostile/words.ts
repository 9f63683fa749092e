/** What hostile text is made of: words that some parser, some file system or some terminal is known to take amiss. */
import * as fc from "fast-check";

export const WORDS: readonly string[] = [
  ..."null ~ true false yes no on 0 -1 -0 00 007 0x1F 0o7 1e5 1e999 -1e999 NaN Infinity .inf .nan 1_000 12:30:45".split(
    " ",
  ),
  ..."__proto__ constructor prototype toString hasOwnProperty valueOf length then".split(" "),
  ..."/ // . .. ./x ../../etc/passwd /dev/null /dev/zero /dev/full /proc/self/mem /proc/1/environ ~ ~root".split(
    " ",
  ),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's, not ours.
  ..."%s%n%d ${HOME} $(id) `id` $IFS && || ; | > < * ? ! # & * @ ` ' \" \\ \\n \\0 %00 %0a".split(" "),
  ..."[default] [profile default] [] ] [ = == : :: - --- ... , { } ? | >- &a *a !!binary !!js/function << %YAML".split(
    " ",
  ),
  ..."http://127.0.0.1:1 https:// file:///etc/passwd http://user:pass@host:1/ javascript:0 //host/x".split(
    " ",
  ),
  ..."arn:aws:iam::123456789012:role/x arn:aws-cn:iam::1:role/x arn:aws:sts::123456789012:assumed-role/Role/SN-1".split(
    " ",
  ),
  ..."1h 0s 99999999999999999999h 1h1h -5m 12h 15m 0".split(" "),
  ..."1970-01-01T00:00:00Z 2999-12-31T23:59:59Z 275760-09-13T00:00:00Z +275760-09-13T00:00:00.001Z 0000-00-00".split(
    " ",
  ),
  "",
  " ",
  "\t",
  "\n",
  "\r",
  "\r\n",
  "\0",
  "\x07",
  "\x1b[2J\x1b]0;x\x07",
  "\x7f",
  "\x85",
  "\x9b31m",
  "\u00a0",
  "\u2028",
  "\u202e",
  "\ufeff",
  "\ufffe",
  "\ud800",
  "😀",
  "ａ",
  "İ",
  "aws_secret_access_key = X",
  "\naws_session_token = Y",
  "X\n[default]\naws_access_key_id = Z",
  "credential_process = /bin/false",
];

/** A long word of one piece: what a pattern may go over again and again. */
const repeated = fc
  .tuple(
    fc.constantFrom(
      "a",
      "-",
      " ",
      "\t",
      "\n",
      "\r",
      "\0",
      "/",
      "//",
      "[",
      "]",
      "{",
      '"',
      "'",
      "%",
      "=",
      ":",
      ";",
      "#",
      "@",
      "a-",
      "\r\n",
      "- ",
      "\\",
      "9",
      "é",
      "x [",
    ),
    fc.constantFrom(2, 10, 65, 257, 1_025, 4_097, 8_193, 66_000),
  )
  .map(([piece, times]) => piece.repeat(Math.ceil(times / piece.length)));

export const word: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.constantFrom(...WORDS), weight: 6 },
  { arbitrary: fc.string({ unit: "binary", maxLength: 20 }), weight: 3 },
  { arbitrary: fc.string({ maxLength: 40 }), weight: 2 },
  { arbitrary: repeated, weight: 1 },
);

/** A few words without anything between them. */
export const words: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: word, weight: 3 },
  { arbitrary: fc.array(word, { minLength: 2, maxLength: 4 }).map((parts) => parts.join("")), weight: 1 },
);

export const anyText: fc.Arbitrary<string> = fc
  .array(fc.oneof(word, fc.constantFrom("\n", " ", ": ", "=", "- ", ",")), { maxLength: 24 })
  .map((parts) => parts.join(""));

/** @returns the text with something done to it that a hand, an editor or a broken disk does */
export function damaged(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(text, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 8 }), word), { maxLength: 2 }))
    .map(([before, wounds]) =>
      wounds.reduce((text, [at, how, piece]) => wounded(text, at, how, piece), before),
    );
}

function wounded(text: string, position: number, how: number, piece: string): string {
  const at = text.length === 0 ? 0 : position % (text.length + 1);
  switch (how) {
    case 0:
      return `\ufeff${text}`;
    case 1:
      return text.replaceAll("\n", "\r\n");
    case 2:
      return text.slice(0, at);
    case 3:
      return text + text;
    case 4:
      return text.replaceAll("  ", "\t");
    case 5:
      return text.slice(0, at) + text.slice(at + 1 + piece.length);
    default:
      return text.slice(0, at) + piece + text.slice(at);
  }
}
