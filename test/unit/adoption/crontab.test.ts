/** Crontabs as cron reads them; and one line taken out of force and put back, every other byte kept. */
import { describe, expect, test } from "vitest";
import { disableLine, enableLine, parseCrontab } from "../../../src/adoption/crontab.ts";

const USER = { kind: "user", user: "deploy" } as const;
const SYSTEM = { kind: "system" } as const;
const NOW = new Date("2026-11-23T10:00:00Z");

describe("an entry is found with its schedule, user and command", () => {
  test.each([
    ["five fields", "*/30 * * * * /x.sh --y", USER, "*/30 * * * *", "deploy", "/x.sh --y"],
    ["names and ranges", "0 3 * jan-mar mon,fri /x.sh", USER, "0 3 * jan-mar mon,fri", "deploy", "/x.sh"],
    ["tabs", "5\t4\t*\t*\t*\t/x.sh", USER, "5 4 * * *", "deploy", "/x.sh"],
    ["a word in place of the fields", "@hourly /x.sh", USER, "@hourly", "deploy", "/x.sh"],
    [
      "a system crontab's user",
      "0 * * * * codedeploy cd /x && ./y",
      SYSTEM,
      "0 * * * *",
      "codedeploy",
      "cd /x && ./y",
    ],
    ["a leading minus", "-*/5 * * * * root /x.sh", SYSTEM, "*/5 * * * *", "root", "/x.sh"],
    ["a random minute of cronie's", "0~59 * * * * root /x.sh", SYSTEM, "0~59 * * * *", "root", "/x.sh"],
    ["a line end of Windows", "*/30 * * * * /x.sh # y\r", USER, "*/30 * * * *", "deploy", "/x.sh # y"],
    ["what follows a % is input", "0 0 * * * mail x%Hello\\%", USER, "0 0 * * *", "deploy", "mail x"],
    ["an escaped % is a %", "0 0 * * * date +\\%F", USER, "0 0 * * *", "deploy", "date +%F"],
  ] as const)("%s", (_, line, format, schedule, user, command) => {
    expect(parseCrontab(`# a comment\n\n${line}\n`, format)).toEqual([
      { line: 3, schedule, user, command, env: new Map() },
    ]);
  });

  test.each(["# */30 * * * * /x.sh", "", "not a crontab", "* * * /x.sh", "0 * * * *"])(
    "%j is none",
    (line) => {
      expect(parseCrontab(line, USER)).toEqual([]);
    },
  );
});

test("settings count for the lines below them", () => {
  const text = `A=1\n0 * * * * /one\nA = "two words"\n'B'=3\n0 * * * * /two\n`;
  expect(parseCrontab(text, USER).map(({ env }) => Object.fromEntries(env))).toEqual([
    { A: "1" },
    { A: "two words", B: "3" },
  ]);
});

describe("a line out of force and back", () => {
  const line = "*/30 * * * * /x.sh  # keep\t";
  const text = `MAILTO=""\r\n# \xe9\n${line}\n@daily /y\n`;

  test("is commented out below a note with the date", () => {
    expect(disableLine(text, line, "why", NOW)).toBe(
      `MAILTO=""\r\n# \xe9\n# 2026-11-23 disabled by idc-helper adopt: why\n#${line}\n@daily /y\n`,
    );
  });

  test("comes back to the same bytes", () => {
    expect(enableLine(disableLine(text, line, "why", NOW) ?? "", line)).toBe(text);
  });

  test("a line that is not there any more is left to whoever changed it", () => {
    expect(disableLine(text, "0 * * * * /x.sh", "why", NOW)).toBeNull();
  });

  test("what a person commented out is not put in force", () => {
    expect(enableLine(`# no longer wanted\n#${line}\n`, line)).toBeNull();
  });
});
