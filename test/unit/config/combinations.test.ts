/** Values that are right by themselves and wrong together. */
import { describe, expect, test } from "vitest";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { issuesOf, loadText, replacing, withLines } from "./config-file.ts";

const scratch = useScratchDirectory();
const issues = (text: string, env: NodeJS.ProcessEnv = {}) => issuesOf(scratch("config.yaml"), text, { env });

describe("a schedule that leaves no room before expiry is refused, and by how much", () => {
  test.each([
    [
      "0 * * * *",
      "1h",
      "its longest gap is 1 h and sessions last 1 h, which leaves nothing; 5 min must remain, so a gap may be 55 min at most",
    ],
    ["0 */2 * * *", "1h", "is 1 h too late"],
    ["*/30 * * * *", "34m", "leaves only 4 min"],
    ["0,50 * * * *", "54m", "leaves only 4 min"],
    [
      "*/30 * * * 1-5",
      "12h",
      "it does not run every day, and sessions last 12 h; the longest time between two refreshes may be 11 h 55 min",
    ],
    ["*/30 9-17 * * *", "12h", "is 3 h 30 min too late"],
    ["0 0 1 * *", "12h", "it does not run every day"],
  ])("%s with sessions of %s", async (schedule, duration, message) => {
    const found = await issues(withLines(`session_duration: ${duration}`, `schedule: "${schedule}"`));
    expect(found).toMatchObject([{ line: 5, key: "schedule", message: expect.stringContaining(message) }]);
    expect(found[0]?.message).toContain(`found ${JSON.stringify(schedule)}; `);
  });

  test.each([
    ["*/30 * * * *", "35m"],
    ["*/5 * * * *", "15m"],
    ["0 */6 * * *", "12h"],
    ["30 0 * * * *", "2h"],
  ])("%s with sessions of %s is fine", async (schedule, duration) => {
    const text = withLines(`session_duration: ${duration}`, `schedule: "${schedule}"`);
    expect((await loadText(scratch("config.yaml"), text)).schedule).toBe(schedule);
  });

  test("the schedule's key is named even where only the duration is written", async () => {
    const [issue] = await issues(withLines("session_duration: 15m"));
    expect(issue).toMatchObject({
      key: "schedule",
      line: 1,
      message: expect.stringContaining("15 min too late"),
    });
  });
});

describe("a region of another partition than the role's", () => {
  test.each([
    ["cn-north-1", "aws", "its partition is aws, but the region cn-north-1 belongs to aws-cn"],
    ["us-gov-west-1", "aws", "belongs to aws-us-gov"],
    ["eu-west-1", "aws-cn", "its partition is aws-cn, but the region eu-west-1 belongs to aws"],
  ])("%s with a role in %s is refused", async (region, partition, message) => {
    const text = `serial: ab\nregion: ${region}\nrole_arn: arn:${partition}:iam::123456789012:role/x\n`;
    expect(await issues(text)).toMatchObject([
      { key: "role_arn", line: 3, message: expect.stringContaining(message) },
    ]);
  });

  test("is not judged where the region is one that this version does not know", async () => {
    const text = "serial: ab\nregion: xy-future-1\nrole_arn: arn:aws-new:iam::123456789012:role/x\n";
    expect((await loadText(scratch("config.yaml"), text)).region).toBe("xy-future-1");
  });
});

describe("a credentials path that would break the agent or destroy another file", () => {
  test.each(["/root/.aws/credentials", "/home/codedeploy/.aws/credentials"])("%s", async (path) => {
    expect(await issues(withLines("credentials_file:", `  path: ${path}`))).toMatchObject([
      {
        key: "credentials_file.path",
        line: 5,
        message: expect.stringMatching(/caches for ever.*ExpiredTokenException/),
      },
    ]);
  });

  test.each([
    ["the base credentials", "base_credentials: { file: /x/f.prom }", "base_credentials.file"],
    ["the agent's settings", "agent: { settings_file: /x/f.prom }", "agent.settings_file"],
    ["the metrics", "metrics: { textfile: /x/f.prom }", "metrics.textfile"],
  ])("that of %s", async (_, line, name) => {
    expect(await issues(withLines(line, "credentials_file: { path: /x/f.prom }"))).toMatchObject([
      { key: "credentials_file.path", line: 5, message: expect.stringContaining(`same path as ${name}`) },
    ]);
  });

  test("that of the config file itself", async () => {
    const found = await issues(withLines(`credentials_file: { path: ${scratch("config.yaml")} }`));
    expect(found).toMatchObject([{ message: expect.stringContaining("same path as this config file") }]);
  });

  test("that of the base credentials, although the credentials path is only a default", async () => {
    const text = withLines("base_credentials: { file: /some/state/credentials }");
    const found = await issues(text, { STATE_DIRECTORY: "/some/state" });
    expect(found).toMatchObject([{ message: expect.stringContaining("same path as base_credentials.file") }]);
    expect((await loadText(scratch("config.yaml"), text)).baseCredentials.isDefault).toBe(false);
  });
});

test("group root, which changes nothing and looks like it does, is refused", async () => {
  expect(await issues(withLines("credentials_file: { group: root }"))).toMatchObject([
    { key: "credentials_file.group", message: expect.stringContaining("root reads the file anyway") },
  ]);
});

test("a connect timeout longer than that of the whole request is refused", async () => {
  expect(await issues(withLines("network:", "  request_timeout: 5s", "  connect_timeout: 6s"))).toMatchObject(
    [
      {
        key: "network.connect_timeout",
        line: 6,
        message: expect.stringContaining("longer than network.request_timeout (5 s)"),
      },
    ],
  );
});

describe("a combination is not judged where one of its keys is wrong in itself", () => {
  test.each([
    [
      "the schedule's margin, the duration being nonsense",
      withLines("session_duration: 1m", 'schedule: "0 */2 * * *"'),
      "session_duration",
    ],
    [
      "the margin, the schedule being nonsense",
      withLines("session_duration: 15m", "schedule: x"),
      "schedule",
    ],
    ["the partition, the region being nonsense", replacing("region", "cn_1"), "region"],
    [
      "the timeouts, one of them being nonsense",
      withLines("network: { connect_timeout: 50s, request_timeout: x }"),
      "network.request_timeout",
    ],
    [
      "equal paths, one being wrong",
      withLines(
        "base_credentials: { file: x }",
        "credentials_file: { path: /etc/idc-codedeploy-helper/base-credentials }",
      ),
      "base_credentials.file",
    ],
    ["a section that is no section", withLines("session_duration: 2h", "network: slow"), "network"],
  ])("%s", async (_, text, key) => {
    expect((await issues(text)).map((issue) => issue.key)).toEqual([key]);
  });

  test("but the others are, beside errors of single keys and unknown keys", async () => {
    const found = await issues(withLines("log: { level: loud }", 'schedule: "0 */2 * * *"', "colour: blue"));
    expect(found.map(({ line, key }) => [line, key])).toEqual([
      [4, "log.level"],
      [5, "schedule"],
      [6, "colour"],
    ]);
  });
});
