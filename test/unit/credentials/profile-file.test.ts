/** The file's text: our profile as the SDKs read it, everything else as it was. */
import { describe, expect, test } from "vitest";
import { renderProfile } from "../../../src/credentials/profile-file.ts";
import { parseRubyIni } from "../../agent/ruby-ini.ts";
import { SECTION, SESSION } from "./samples.ts";

const render = (existing: string, profile = "default") => renderProfile(existing, profile, SESSION);
const OTHER = "[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key=a = b ; no comment\n";

describe("other profiles, comments and blank lines are kept byte for byte", () => {
  test.each([
    ["no file", "", SECTION],
    ["our old profile alone", "[default]\naws_access_key_id = old\naws_session_token = old\n", SECTION],
    ["another before", `${OTHER}[default]\nx = old\n`, `${OTHER}${SECTION}`],
    ["another after", `[default]\nx = old\n${OTHER}`, `${SECTION}${OTHER}`],
    [
      "others around, with blank lines",
      `${OTHER}\n[default]\nx=y\n\n# mine\n${OTHER}`,
      `${OTHER}\n${SECTION}\n# mine\n${OTHER}`,
    ],
    ["none of ours", OTHER, `${OTHER}${SECTION}`],
    ["no newline at the end", OTHER.trimEnd(), `${OTHER}${SECTION}`],
    ["our own without a newline at the end", "[default]\nx = old", SECTION],
    ["comments alone", "# managed\n; by hand\n", `# managed\n; by hand\n${SECTION}`],
    ["a comment after ours", "[default]\nx = old\n\n; the end\n", `${SECTION}\n; the end\n`],
    [
      "carriage returns",
      "[other]\r\na = b\r\n\r\n[default]\r\nx = old\r\n[third]\r\nc = d\r\n",
      `[other]\r\na = b\r\n\r\n${SECTION}[third]\r\nc = d\r\n`,
    ],
    ["a byte order mark", `\uFEFF# x\n${OTHER}`, `\uFEFF# x\n${OTHER}${SECTION}`],
    ["ours twice", `[default]\na = 1\n${OTHER}[default]\nb = 2\n`, `${SECTION}${OTHER}`],
    ["ours with spaces in its header", "[ default ]\nx = old\n", SECTION],
    ["ours with a comment in its header", "[default] # managed\nx = old\n", SECTION],
    [
      "ours by its longer name, which overrides it for the Ruby SDK",
      `[default]\na = 1\n${OTHER}[profile default]\nb = 2\n`,
      `${SECTION}${OTHER}`,
    ],
    [
      "a profile whose name holds ours",
      "[default2]\na = b\n[my default]\nc = d\n",
      `[default2]\na = b\n[my default]\nc = d\n${SECTION}`,
    ],
    ["an indented header, which is one to Python", "[other]\n  [default]\na = b\n", `[other]\n${SECTION}`],
    [
      "an indented header below a value, which is a part of it",
      "[other]\nx =\n  [default]\na = b\n",
      `[other]\nx =\n  [default]\na = b\n${SECTION}`,
    ],
    [
      "ours with a value behind its header (seed 24276974)",
      "[+]\n[default] aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n",
      `[+]\n${SECTION}`,
    ],
    [
      "white space beyond ASCII behind it, which is text to the Ruby SDK",
      "[default]\nx = old\n[other]\u2028\nc = d\n",
      `${SECTION}[other]\nc = d\n`,
    ],
    [
      "text behind the header that follows ours, by which the Ruby SDK does not see it (seed 24269055)",
      "[default]\n[..]x\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n",
      `${SECTION}[..]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n`,
    ],
    ["text behind a header elsewhere", "[a]x\nb = c\n[default]\n", `[a]x\nb = c\n${SECTION}`],
    ["a commented header", "#[default]\n#x = y\n", `#[default]\n#x = y\n${SECTION}`],
    [
      "nested values",
      "[default]\ns3 =\n  a = b\n[other]\ns3 =\n  c = d\n",
      `${SECTION}[other]\ns3 =\n  c = d\n`,
    ],
  ])("%s", (_, existing, expected) => {
    expect(render(existing)).toBe(expected);
  });

  test("the profile's name may hold what a regular expression would take amiss", () => {
    expect(render("[a.b+c]\nx = old\n[axb+c]\ny = z\n", "a.b+c")).toBe(
      `${SECTION.replace("default", "a.b+c")}[axb+c]\ny = z\n`,
    );
  });

  test("a second rendering changes nothing", () => {
    for (const existing of ["", OTHER, `# x\n\n[default]\nx=y\n\n\n${OTHER}\n`]) {
      expect(render(render(existing))).toBe(render(existing));
    }
  });
});

test("the agent's SDK reads exactly what was issued, out of any file", () => {
  const files = [
    "",
    OTHER,
    OTHER.trimEnd(),
    `[default]\nx=y\n${OTHER}[profile default]\naws_access_key_id = old\n`,
  ];
  for (const existing of files) {
    expect(Object.fromEntries(parseRubyIni(render(existing)).get("default") ?? [])).toEqual({
      aws_access_key_id: SESSION.accessKeyId,
      aws_secret_access_key: SESSION.secretAccessKey,
      aws_session_token: SESSION.sessionToken,
    });
  }
});
