/** What is read out of other programs' files: the agent's log, the audit log, a profile, a unit's environment. */
import { describe, expect, test } from "vitest";
import { isFlapping, readTroubles } from "../../../src/doctor/agent-log-lines.ts";
import { findDenials } from "../../../src/doctor/audit-log.ts";
import { findProfile, oddValues } from "../../../src/doctor/profile-text.ts";
import { parseEnvironment } from "../../../src/doctor/unit-environment.ts";

const at = (ms: number) => new Date(ms).toLocaleString("sv-SE").replace(" ", "T");
const NOON = Date.parse("2026-01-31T12:00:00");
const line = (ms: number, text: string) => `${at(ms)} ERROR [codedeploy-agent(7)]: ${text}\n`;
const ANSWERED = "[Aws::CodeDeployCommand::Client 200 45.33 0 retries] poll_host_command(...)";

describe("the agent's log", () => {
  test("what was logged before the last refresh does not count", () => {
    const text = line(NOON - 60_000, "ExpiredTokenException") + line(NOON + 5_000, "all quiet");
    expect(readTroubles(text, NOON)).toMatchObject({ expired: null, denied: null });
    expect(readTroubles(text, NOON - 120_000).expired).toContain("ExpiredTokenException");
  });

  test("an agent that polls again has recovered, until it fails anew", () => {
    const failed = line(NOON + 1_000, "Cannot reach InstanceService: AccessDeniedException");
    expect(readTroubles(failed, NOON).recoveredAt).toBeNull();
    const recovered = failed + line(NOON + 9_000, ANSWERED);
    expect(readTroubles(recovered, NOON).recoveredAt).toBe(at(NOON + 9_000));
    const again = recovered + line(NOON + 20_000, "ExpiredTokenException");
    expect(readTroubles(again, NOON)).toMatchObject({ recoveredAt: null, expired: expect.any(String) });
  });

  test("a line without a time belongs to the one before it", () => {
    const text = `${line(NOON - 60_000, "trouble")}Aws::CodeDeployCommand::Errors::ExpiredTokenException\n`;
    expect(readTroubles(text, NOON).expired).toBeNull();
    expect(readTroubles(text, NOON - 90_000).expired).toContain("ExpiredTokenException");
  });

  test("workers that die one after another, and one that was only reloaded", () => {
    const dying = [50, 40, 30, 20, 10].map((seconds) =>
      line(NOON - seconds * 1_000, "been told to replace child 9"),
    );
    expect(isFlapping(dying.join(""), NOON)).toBe(true);
    expect(isFlapping(dying.join(""), NOON + 3_600_000)).toBe(false);
    expect(isFlapping(dying.slice(0, 1).join(""), NOON)).toBe(false);
  });
});

describe("the audit log", () => {
  const denial = (seconds: number, more: string) =>
    `type=AVC msg=audit(${seconds}.123:91): avc:  denied  { read } for  pid=7 ${more} tclass=file permissive=0`;
  const ours = 'comm="codedeploy-agen" path="/var/lib/idc-codedeploy-helper/credentials" dev="dm-0"';

  test("a denial that concerns us, in a few words", () => {
    expect(findDenials(denial(1_000, ours), 999_000)).toEqual([
      "codedeploy-agen may not read /var/lib/idc-codedeploy-helper/credentials (file)",
    ]);
  });

  test("others', old ones, and those that were only logged do not count", () => {
    const text = [
      denial(1_000, 'comm="httpd" path="/srv/x"'),
      denial(10, ours),
      denial(1_000, ours).replace("permissive=0", "permissive=1"),
      "type=SYSCALL msg=audit(1000.1:91): codedeploy denied",
    ].join("\n");
    expect(findDenials(text, 999_000)).toEqual([]);
  });
});

describe("a profile, as the agent's SDK takes it", () => {
  test("the profile asked for, and no other", () => {
    const text = "[a]\nx = 1\n[default]\n# x = 9\naws_session_token = tok==\n[b]\nx = 2\n";
    expect([...(findProfile(text, "default") ?? [])]).toEqual([["aws_session_token", "tok=="]]);
    expect(findProfile(text, "c")).toBeNull();
  });

  test.each(['"quoted"', "'quoted'", "two words", "half;comment"])("the value %s is odd", (value) => {
    expect(oddValues(new Map([["key", value]]))).toEqual(["key"]);
  });

  test("a token with = and / is not", () => {
    expect(oddValues(new Map([["key", "IQoJ/b3+A=="]]))).toEqual([]);
  });
});

test("a unit's environment, with spaces and without", () => {
  const text = String.raw`AWS_PROFILE=web "GREETING=hello \"you\" there" EMPTY=`;
  expect([...parseEnvironment(text)]).toEqual([
    ["AWS_PROFILE", "web"],
    ["GREETING", 'hello "you" there'],
    ["EMPTY", ""],
  ]);
});
