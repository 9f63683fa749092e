/** Somebody else's command is shown without its secrets, and so that it is still known. */
import { describe, expect, test } from "vitest";
import { redacted } from "../../../src/adoption/redact.ts";

const KEY = "wJalrXUtnFEMI0K7MDENG0bPxRfiCYEXAMPLEKEY";

describe("blotted out", () => {
  test.each([
    [`AWS_SECRET_ACCESS_KEY=${KEY} /x.sh`, "AWS_SECRET_ACCESS_KEY=*** /x.sh"],
    [`/x.sh --secret-key ${KEY} -v`, "/x.sh --secret-key *** -v"],
    ["/x.sh --password='a b' y", "/x.sh --password=*** y"],
    ["DB_PASSWD=hunter2 /x.sh", "DB_PASSWD=*** /x.sh"],
    [`/x.sh ${KEY}`, "/x.sh ***"],
    ["curl https://joe:hunter2@host/x", "curl https://***@host/x"],
    [`echo '{"token": "abc"}'`, `echo '{"token": ***}'`],
  ])("%s", (command, shown) => {
    expect(redacted(command)).toBe(shown);
  });
});

describe("left as it is", () => {
  test.each([
    "/usr/local/bin/get_sts_creds --role-arn arn:aws:iam::123456789012:role/X --serial SN-1",
    "AWS_PROFILE=idc AWS_ACCESS_KEY_ID=AKIAIDCBASE000000001 /x.sh",
    "/opt/app/renew-token.sh && touch /tmp/ok",
    "/opt/Company1/Products/CodeDeploy/Refresh/Credentials/Now",
    "/x.sh --token-file /etc/idc/token",
    "TOKEN_PATH=/etc/idc/x /x.sh",
  ])("%s", (command) => {
    expect(redacted(command)).toBe(command);
  });
});

test("control characters and endless commands do not reach the terminal", () => {
  expect(redacted(`a\x1b[31m${"b".repeat(1_000)}`)).toBe(`a?[31m${"b".repeat(294)}…`);
});
