/** Config files and an environment that somebody made to do harm: refused in a moment, with the place. */
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/config/config-error.ts";
import { parseCron } from "../../../src/config/cron.ts";
import { configFromText } from "../../../src/config/load.ts";
import { Failure } from "../../../src/failure.ts";

const GOOD = "serial: SN-1\nregion: ap-northeast-2\nrole_arn: arn:aws:iam::123456789012:role/Role\n";
/** Far more than is needed, and far less than what was wrong took. */
const LIMIT_MS = 60_000;

function issuesOf(text: string, env: NodeJS.ProcessEnv = {}): string {
  try {
    configFromText(text, { path: "/etc/x/config.yaml", unknownKeys: "error", env });
    return "";
  } catch (error) {
    if (error instanceof ConfigError || error instanceof Failure) return error.message;
    throw error;
  }
}

describe("a schedule that would fill the memory is refused", () => {
  test.each([
    ["0-99999999999 * * * *", "no field takes a number as large as 99999999999"],
    ["* * 0-4294967294 * * *", "no field takes a number as large as 4294967294"],
    [`${"0-59,".repeat(5_000)}1 * * * *`, "it has 25009 characters; at most 1000 are read"],
  ])("%.30s", (schedule, why) => {
    expect(issuesOf(`${GOOD}schedule: "${schedule}"\n`)).toContain(
      `/etc/x/config.yaml:4: schedule: found ${JSON.stringify(schedule.slice(0, 100)).slice(0, -1)}`,
    );
    expect(parseCron(schedule)).toEqual({ error: why });
  });

  test("or read, where it only says the same many times", { timeout: LIMIT_MS }, () => {
    const often = (range: string) => Array(40).fill(range).join(",");
    const cron = parseCron(`${often("0-59")} ${often("0-59")} ${often("0-23")} * * *`);
    expect(cron).toMatchObject({ shortestGapMs: 1_000, longestGapMs: 1_000 });
  });
});

test("a value of slashes is told at once, and a password in a URL still not shown", {
  timeout: LIMIT_MS,
}, () => {
  expect(issuesOf(`${GOOD}schedule: ${"/".repeat(200_000)}\n`)).toContain(":4: schedule: found");
  const shown = issuesOf(`${GOOD}schedule: "a//b:secret@//c@d"\n`);
  expect(shown).toContain('found "a//***@d"');
});

test("a path longer than any that Linux opens is refused, and not put into the agent's config", () => {
  const path = `/${"a".repeat(4_095)}`;
  expect(issuesOf(`${GOOD}credentials_file: {path: ${path}}\n`)).toContain("credentials_file.path: found");
  expect(issuesOf(`${GOOD}credentials_file: {path: ${path.slice(0, -1)}}\n`)).toBe("");
});

test("a key does not reach the terminal with its control characters", () => {
  const told = issuesOf(`${GOOD}"\\e[2J\\u202e": 1\n`);
  expect(told).toContain("unknown key");
  expect(told).not.toMatch(/(?!\n)\p{Cc}|\p{Cf}/u);
});

test.each(["relative", " ", "\x1b[2J"])("a STATE_DIRECTORY of %j is refused by its name", (directory) => {
  expect(issuesOf(GOOD, { STATE_DIRECTORY: directory })).toContain("STATE_DIRECTORY in the environment is");
  expect(issuesOf(GOOD, { RUNTIME_DIRECTORY: directory })).toContain(
    "RUNTIME_DIRECTORY in the environment is",
  );
});
