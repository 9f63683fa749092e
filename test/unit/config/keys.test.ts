/** Each key's wrong values: what an operator reads of them. */
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { errorOf, issuesOf, loadText, nested, REQUIRED, replacing, withLines } from "./config-file.ts";

const scratch = useScratchDirectory();

/** Key, a wrong value as it stands in the file, what is shown of it, a part of what is said to be allowed. */
const WRONG: [key: string, written: string, found: string, allowed: string][] = [
  ["serial", "x", '"x"', "2 to 64"],
  ["serial", "i-0123456789", '"i-0123456789"', "not starting with i-"],
  ["serial", '"with space"', '"with space"', "2 to 64"],
  ["serial", "a".repeat(65), `"${"a".repeat(65)}"`, "2 to 64"],
  ["serial", "a/b", '"a/b"', "2 to 64"],
  ["serial", "시리얼", '"시리얼"', "2 to 64"],
  ["serial", "", "null", "2 to 64"],
  ["serial", "[a, b]", "a list", "2 to 64"],
  ["region", "Seoul", '"Seoul"', "an AWS region"],
  ["region", "ap-northeast-2a", '"ap-northeast-2a"', "an AWS region"],
  ["role_arn", "arn:aws:iam::12345:role/x", '"arn:aws:iam::12345:role/x"', "ARN of an IAM role"],
  [
    "role_arn",
    "arn:aws:iam::123456789012:user/x",
    '"arn:aws:iam::123456789012:user/x"',
    "ARN of an IAM role",
  ],
  ["session_duration", "10m", '"10m"', "15m to 12h"],
  ["session_duration", "14m59s", '"14m59s"', "15m to 12h"],
  ["session_duration", "12h1s", '"12h1s"', "15m to 12h"],
  ["session_duration", "3600", '"3600"', "15m to 12h"],
  ["session_duration", "forever", '"forever"', "15m to 12h"],
  ["schedule", '"* * * *"', '"* * * *"', "five fields, or six with seconds: it has 4 fields"],
  ["schedule", '"61 * * * *"', '"61 * * * *"', "minute: 61"],
  ["schedule", "hourly", '"hourly"', "it has 1 field"],
  ["splay", "-5m", '"-5m"', "auto, or a duration up to 12h"],
  ["splay", "13h", '"13h"', "auto, or a duration up to 12h"],
  ["splay", "sometimes", '"sometimes"', "auto, or a duration up to 12h"],
  ["base_credentials", "none", '"none"', "keys and values below it"],
  ["base_credentials.file", "base", '"base"', "absolute path of the base credentials file"],
  ["base_credentials.profile", '"a b"', '"a b"', "a profile name"],
  [
    "credentials_file.path",
    "./credentials",
    '"./credentials"',
    "absolute path of the file that the agent reads",
  ],
  ["credentials_file.path", "/a/../b", '"/a/../b"', 'without "." or ".."'],
  ["credentials_file.path", "/var/lib/", '"/var/lib/"', "absolute path"],
  ["credentials_file.path", '"/a\\nb"', '"/a\\nb"', "absolute path"],
  ["credentials_file.profile", "'[x]'", '"[x]"', "a profile name"],
  ["credentials_file.group", '"code deploy"', '"code deploy"', "the name of a group"],
  ["credentials_file.group", "1000", '"1000"', "the name of a group"],
  ["agent.service", '"-x"', '"-x"', "the name of a systemd service"],
  ["agent.service", "a/b.service", '"a/b.service"', "the name of a systemd service"],
  [
    "agent.settings_file",
    "codedeployagent.yml",
    '"codedeployagent.yml"',
    "absolute path of codedeployagent.yml",
  ],
  ["agent.on_drift", "ignore", '"ignore"', "one of repair, report"],
  ["agent.reload", "always", '"always"', "one of auto, never"],
  ["network.proxy", "proxy.example:3128", '"proxy.example:3128"', "http:// or https:// URL"],
  ["network.proxy", "socks5://proxy:1080", '"socks5://proxy:1080"', "http:// or https:// URL"],
  ["network.proxy", "http://proxy/path", '"http://proxy/path"', "without user, password and path"],
  ["network.ca_bundle", "ca.pem", '"ca.pem"', "absolute path of a file of CA certificates"],
  ["network.connect_timeout", "50ms", '"50ms"', "100ms to 60s"],
  ["network.connect_timeout", "61s", '"61s"', "100ms to 60s"],
  ["network.request_timeout", "56s", '"56s"', "100ms to 55s"],
  ["network.request_timeout", "0", '"0"', "100ms to 55s"],
  ["endpoints.sts", "http://sts.example", '"http://sts.example"', "an https:// URL"],
  ["endpoints.sts", "https://sts.example/?a=b", '"https://sts.example/?a=b"', "an https:// URL"],
  ["endpoints.codedeploy", "ftp://x", '"ftp://x"', "http:// only for a loopback address"],
  ["metrics.textfile", "x.prom", '"x.prom"', "absolute path of the metrics file"],
  ["metrics.textfile", "/x/metrics.txt", '"/x/metrics.txt"', "ending in .prom"],
  ["paths.state_dir", "state", '"state"', "absolute path of a directory"],
  ["paths.runtime_dir", "/", '"/"', "absolute path of a directory"],
  ["paths.agent_runtime_dir", "~/x", '"~/x"', "absolute path of a directory"],
  ["log.level", "trace", '"trace"', "one of debug, info, warn, error"],
  ["log.format", "xml", '"xml"', "one of auto, human, json, journal"],
];

describe("a wrong value is reported with file, line, key, what was found and what is allowed", () => {
  test.each(WRONG)("%s: %s", async (key, written, found, allowed) => {
    const path = scratch("config.yaml");
    const isRequired = REQUIRED.some((line) => line.startsWith(`${key}:`));
    const text = isRequired ? replacing(key, written) : withLines(nested(key, written));
    const issues = await issuesOf(path, text);
    const line = text.split("\n").findLastIndex((each) => each !== "") + 1;
    expect(issues).toEqual([{ file: path, line, key, message: expect.stringContaining(allowed) }]);
    expect(issues[0]?.message).toContain(`found ${found}; allowed: `);
  });
});

test.each(["serial", "region", "role_arn"])("a missing %s is named, with what it must hold", async (key) => {
  const [issue, ...others] = await issuesOf(
    scratch("config.yaml"),
    REQUIRED.filter((line) => !line.startsWith(key)).join("\n"),
  );
  expect(others).toEqual([]);
  expect(issue).toMatchObject({ key, message: expect.stringMatching(/^found nothing; allowed: ./) });
});

describe("several errors", () => {
  const text = [
    "log: { level: loud }",
    "serial: i-1",
    "region: Seoul",
    "role_arn: admin",
    "nonsense: 1",
    "network:",
    "  request_timeout: 2h",
    "  proxy: none",
    "schedule: never",
    "",
  ].join("\n");

  test("are told all at once, in the order of the file", async () => {
    const issues = await issuesOf(scratch("config.yaml"), text);
    expect(issues.map(({ line, key }) => [line, key])).toEqual([
      [1, "log.level"],
      [2, "serial"],
      [3, "region"],
      [4, "role_arn"],
      [5, "nonsense"],
      [7, "network.request_timeout"],
      [8, "network.proxy"],
      [9, "schedule"],
    ]);
  });

  test("make one failure of kind config, one line each after a count, with a next step", async () => {
    const path = scratch("config.yaml");
    writeFileSync(path, text);
    const error = await errorOf(path);
    expect(error.kind).toBe("config");
    const [head, ...lines] = error.message.split("\n");
    expect(head).toBe("8 errors in the configuration:");
    expect(lines).toHaveLength(8);
    for (const line of lines) expect(line.startsWith(`${path}:`)).toBe(true);
    expect(error.nextStep).toBe(`Mend ${path} and run: idc-helper check-config`);
  });
});

test("a very long value is cut, not printed for pages", async () => {
  const [issue] = await issuesOf(scratch("config.yaml"), replacing("region", "x".repeat(10_000)));
  expect(issue?.message.length).toBeLessThan(300);
});

describe("a password in a proxy's URL never appears in a message", () => {
  test.each([
    "http://user:geheim@proxy:3128",
    "http://user:geh/geheim@proxy:3128",
    "user:geheim@proxy:3128",
    "http:/user:geheim@proxy:3128",
    '"http://user:ge@geheim@proxy:3128"',
    '"http://user:geheim@proxy :3128"',
    '"http:\\\\\\\\user:geheim@proxy"',
  ])("%s", async (proxy) => {
    for (const key of ["network.proxy", "endpoints.sts", "endpoints.codedeploy"]) {
      const path = scratch("config.yaml");
      const issues = await issuesOf(path, withLines(nested(key, proxy)));
      expect(issues).toHaveLength(1);
      expect(issues[0]?.message).not.toContain("geheim");
      expect((await errorOf(path)).message).not.toContain("geheim");
    }
  });

  test("nor where it was put under a key of another kind", async () => {
    const url = "http://user:geh/eim@proxy:3128";
    const issues = await issuesOf(
      scratch("config.yaml"),
      withLines(`agent: { service: "${url}" }`, `proxy: ${url}`),
    );
    expect(issues).toHaveLength(2);
    expect(JSON.stringify(issues)).not.toContain("eim@");
  });
});

test("serials that look like numbers keep their zeros and letters", async () => {
  for (const serial of ["00123", "1e5", "0x10", "1_000", "1.50", "true", "no"]) {
    const config = await loadText(scratch("config.yaml"), replacing("serial", serial));
    expect(config.serial).toBe(serial);
  }
});
