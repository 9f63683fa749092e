/** The log: one line an event, whatever is in it, and never a secret. */
import { fstatSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { LogFormat, LogLevel } from "../../../src/config/config.ts";
import { encodeEntry, type JournalField } from "../../../src/host/journal.ts";
import { createLog, type Fields, type LogOptions } from "../../../src/report/log.ts";

function logged(
  format: LogFormat,
  fields: Fields,
  options: Partial<LogOptions> = {},
  level: LogLevel = "warn",
) {
  const lines: string[] = [];
  const log = createLog({
    level: "debug",
    format,
    isTerminal: false,
    env: {},
    write: (line) => lines.push(line),
    ...options,
  });
  log[level]("refresh_failed", fields);
  return lines.join("");
}

describe("formats", () => {
  test.each([
    ["debug", "<7>"],
    ["info", "<6>"],
    ["warn", "<4>"],
    ["error", "<3>"],
  ] as const)("journal: %s has the prefix %s, so that journalctl -p finds it", (level, prefix) => {
    expect(logged("journal", { kind: "denied", failures: 3, is: true, of: null }, {}, level)).toBe(
      `${prefix}refresh_failed kind=denied failures=3 is=true of=null\n`,
    );
  });

  test("human: time, level, event, fields; no colour where there is no terminal", () => {
    expect(logged("human", { kind: "denied", message: "a b" })).toMatch(
      /^\d\d:\d\d:\d\d WARN {2}refresh_failed {9}kind=denied message="a b"\n$/,
    );
    const coloured = logged("human", {}, { isTerminal: true }).replace(/\d\d:\d\d:\d\d/, "TIME");
    expect(coloured).toBe("\x1b[90mTIME\x1b[0m \x1b[33mWARN \x1b[0m refresh_failed\n");
  });

  test("json: one object a line, with a level by name and an ISO time", () => {
    const line = logged("json", { kind: "denied", failures: 3, gone: undefined });
    expect(line).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(line)).toEqual({
      level: "warn",
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      kind: "denied",
      failures: 3,
      event: "refresh_failed",
    });
  });

  test("auto: for the journal where standard error goes there, else for a person", () => {
    const { dev, ino } = fstatSync(2, { bigint: true });
    expect(logged("auto", {}, { env: { JOURNAL_STREAM: `${dev}:${ino}` } })).toBe("<4>refresh_failed\n");
    expect(logged("auto", {})).toMatch(/^\d\d:\d\d:\d\d WARN/);
  });

  test("auto: for a person where the journal is another process's standard error, which left its mark", () => {
    const { dev, ino } = fstatSync(2, { bigint: true });
    for (const other of ["8:1", `${dev}:${ino + 1n}`, "nonsense", ""])
      expect(logged("auto", {}, { env: { JOURNAL_STREAM: other } })).toMatch(/^\d\d:\d\d:\d\d WARN/);
  });

  test("what is below the level is not said, and the level may change", () => {
    const lines: string[] = [];
    const log = createLog({ level: "warn", format: "journal", env: {}, write: (line) => lines.push(line) });
    log.info("quiet");
    log.setLevel("debug");
    log.debug("loud");
    log.setLevel("error");
    log.warn("quiet");
    expect(lines).toEqual(["<7>loud\n"]);
  });
});

const NASTY = [
  "two\nlines",
  "a\r\n<0>forged kind=fine",
  "\u0000\u0007\u001b[2J\u001b]0;title\u0007",
  "\u007f\u0085\u009b31m",
  "\u2028\u2029",
  'quotes " and \\ and =',
  "",
  " ",
  "시리얼 é 😀",
  "\ud800",
  "x".repeat(100_000),
];

describe("one event is one line, whatever is in its fields", () => {
  test.each(["journal", "human", "json"] as const)("%s", (format) => {
    for (const value of NASTY) {
      const line = logged(format, { message: value, last: "end" });
      expect(line.endsWith("\n")).toBe(true);
      const text = line.slice(0, -1);
      expect(text).not.toMatch(format === "json" ? /[\n\r]/ : /[\p{Cc}\u2028\u2029]/u);
      expect(text).toContain(format === "json" ? '"last":"end"' : " last=end");
    }
  });

  test("and a quoted value reads back as it was", () => {
    for (const value of NASTY.filter((each) => !/^[^\s"=\\\p{Cc}]+$/u.test(each))) {
      const quoted = /message=(".*") last=end\n$/.exec(
        logged("journal", { message: value, last: "end" }),
      )?.[1];
      expect(JSON.parse(quoted ?? "null")).toBe(value);
    }
  });

  test("so that nobody forges a field or a priority through a value", () => {
    const line = logged("journal", { message: "x\n<3>forged kind=fine" });
    expect(line.match(/<\d>/g)?.length).toBe(2);
    expect(line).toBe('<4>refresh_failed message="x\\n<3>forged kind=fine"\n');
  });
});

test.each([
  "secretAccessKey",
  "SecretAccessKey",
  "aws_secret_access_key",
  "sessionToken",
  "SessionToken",
  "aws_session_token",
  "password",
  "authorization",
  "Authorization",
])("a field named %s is redacted in every format", (name) => {
  const sent: string[] = [];
  const journal = { send: (fields: readonly JournalField[]) => sent.push(String(encodeEntry(fields))) > 0 };
  logged("journal", { [name]: "geheim", kind: "denied" }, { journal });
  expect(sent.join()).not.toContain("geheim");
  expect(sent.join()).toContain("***");
  for (const format of ["journal", "human", "json"] as const) {
    const line = logged(format, { [name]: "geheim", kind: "denied" });
    expect(line).not.toContain("geheim");
    expect(line).toContain("***");
    expect(line).toContain("denied");
  }
});
