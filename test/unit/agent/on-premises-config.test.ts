/** Which on-premises configs a worker starts with, and which kill it (FACTS: all of these are drift). */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readOnPremisesConfig } from "../../agent/on-premises-config.ts";

const ARN = "arn:aws:sts::123456789012:assumed-role/Deploy/serial-1";
let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "agent-config-"));
  path = join(directory, "codedeploy.onpremises.yml");
});
afterEach(() => rmSync(directory, { recursive: true }));

test.each([
  ["plain keys", `iam_session_arn: ${ARN}\naws_credentials_file: /c\nregion: ap-northeast-2\n`],
  ["Ruby symbols", `---\n:iam_session_arn: "${ARN}"\n:aws_credentials_file: /c\n:region: ap-northeast-2\n`],
])("a worker starts with %s", (_, content) => {
  writeFileSync(path, content);
  expect(readOnPremisesConfig(path)).toEqual({
    sessionArn: ARN,
    credentialsFile: "/c",
    region: "ap-northeast-2",
  });
});

test.each([
  ["no file", undefined, /does not exist/],
  ["no YAML", "a: [", /format .* is invalid/],
  ["an empty file", "", /format .* is invalid/],
  ["a list", "- a\n", /format .* is invalid/],
  ["no session ARN", "region: r\naws_credentials_file: /c\n", /iam_session_arn/],
  ["no region", `iam_session_arn: ${ARN}\naws_credentials_file: /c\n`, /'region' key is required/],
  ["no credentials file", `iam_session_arn: ${ARN}\nregion: r\n`, /'aws_credentials_file' key is required/],
  ["both ARNs", `iam_session_arn: ${ARN}\niam_user_arn: u\nregion: r\naws_credentials_file: /c\n`, /both/],
])("a worker dies of %s", (_, content, message) => {
  if (content !== undefined) writeFileSync(path, content);
  expect(() => readOnPremisesConfig(path)).toThrow(message);
});
