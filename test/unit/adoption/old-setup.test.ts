/** The agent's old config: either kind, as the agent itself reads it; and the role that follows from it. */
import { describe, expect, test } from "vitest";
import { interpretOldConfig, type SessionSetup } from "../../../src/adoption/old-setup.ts";
import { findRole } from "../../../src/adoption/role.ts";

const ARN = "arn:aws:sts::123456789012:assumed-role/IdcRole/SN-1";
const SESSION = `iam_session_arn: ${ARN}\naws_credentials_file: /opt/session\nregion: ap-northeast-2\n`;
const USER =
  "iam_user_arn: arn:aws:iam::123456789012:user/idc/web\naws_access_key_id: AKIA1\naws_secret_access_key: x\nregion: r\n";

const SETUP: SessionSetup = {
  kind: "session",
  sessionArn: ARN,
  partition: "aws",
  account: "123456789012",
  roleName: "IdcRole",
  serial: "SN-1",
  credentialsFile: "/opt/session",
  region: "ap-northeast-2",
};

describe("understood", () => {
  test.each([
    ["plain", SESSION],
    ["with document mark, quotes and comments", `---\n# x\n${SESSION.replace(ARN, `"${ARN}"`)}`],
    ["with symbols for keys, as Ruby writes them", SESSION.replace(/^/gm, ":").replace(/:$/, "")],
  ])("a session, %s", (_, text) => {
    expect(interpretOldConfig(text)).toEqual({ setup: SETUP });
  });

  test("a user, by the last part of its ARN, and never its secret", () => {
    const reading = interpretOldConfig(USER);
    expect(reading).toMatchObject({ setup: { kind: "user", userName: "web", accessKeyId: "AKIA1" } });
    expect(JSON.stringify(reading)).not.toContain("secret");
  });
});

test.each([
  ["neither identity", "region: x\n", "it has neither iam_session_arn nor iam_user_arn"],
  ["both", `${SESSION}iam_user_arn: x\n`, "it has both"],
  ["no region", SESSION.replace(/region.*\n/, ""), "it has no region"],
  ["no credentials file", SESSION.replace(/aws_c.*\n/, ""), "it has no aws_credentials_file"],
  [
    "a role's ARN",
    SESSION.replace(ARN, "arn:aws:iam::123456789012:role/X"),
    "not the ARN of a role's session",
  ],
  ["no YAML", "{", "it is not YAML"],
  ["nothing", "", "it is not YAML"],
])("%s is not taken over", (_, text, why) => {
  expect(interpretOldConfig(text)).toEqual({ unusable: expect.stringContaining(why) });
});

describe("the role", () => {
  const PATHED = "arn:aws:iam::123456789012:role/a/b/IdcRole";
  const none = { given: undefined, present: null, texts: [] };

  test("is what the operator says, if it is the host's", () => {
    expect(findRole(SETUP, { ...none, given: PATHED })).toMatchObject({ roleArn: PATHED, isKnown: true });
    expect(() => findRole(SETUP, { ...none, given: `${PATHED}2` })).toThrow("is not this host's role");
  });

  test("else what a config that is there says, if it is the host's", () => {
    expect(findRole(SETUP, { ...none, present: PATHED })).toMatchObject({ roleArn: PATHED });
    expect(findRole(SETUP, { ...none, present: `${PATHED}2` }).roleArn).not.toContain("IdcRole2");
  });

  test("else what the script says, among other roles' ARNs", () => {
    const texts = [
      "X=arn:aws:iam::123456789012:role/Other",
      `aws sts assume-role --role-arn "${PATHED}" --x`,
    ];
    expect(findRole(SETUP, { ...none, texts })).toMatchObject({ roleArn: PATHED, isKnown: true });
  });

  test("else taken to have no path", () => {
    const roleArn = "arn:aws:iam::123456789012:role/IdcRole";
    expect(findRole(SETUP, none)).toMatchObject({ roleArn, isKnown: false });
  });
});
