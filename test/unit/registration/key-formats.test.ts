/** In which forms an operator may hand over a key, and what is taken of a file that holds more. */
import { describe, expect, it } from "vitest";
import { keyFromDocument, onlyProfile, renderKey, whyNoKey } from "../../../src/registration/key-formats.ts";

const KEY = { accessKeyId: "AKIAIDCBASE000000001", secretAccessKey: "base/secret+0=" };

describe("keyFromDocument", () => {
  const { accessKeyId: ID, secretAccessKey: SECRET } = KEY;

  it.each([
    [
      "what aws iam create-access-key prints",
      JSON.stringify({ AccessKey: { AccessKeyId: ID, SecretAccessKey: SECRET } }),
    ],
    [
      "the same, laid out",
      JSON.stringify({ AccessKey: { AccessKeyId: ID, SecretAccessKey: SECRET } }, null, 4),
    ],
    [
      "the same with a byte order mark and Windows line ends, as an editor on Windows keeps it",
      `\uFEFF${JSON.stringify({ AccessKey: { AccessKeyId: ID, SecretAccessKey: SECRET } }, null, 4).replaceAll("\n", "\r\n")}\r\n`,
    ],
    [
      "what a credential_process prints",
      JSON.stringify({ Version: 1, AccessKeyId: ID, SecretAccessKey: SECRET }),
    ],
    ["the console's CSV", `Access key ID,Secret access key\n${ID},${SECRET}`],
    [
      "the same with a byte order mark and Windows line ends",
      `\uFEFFAccess key ID,Secret access key\r\n${ID},${SECRET}\r\n`,
    ],
    [
      "the console's older CSV",
      `User name,Password,Access key ID,Secret access key,Console login link\nme,,${ID},${SECRET},https://x\n`,
    ],
    ["the same, quoted", `"User name","Access key ID","Secret access key"\n"me","${ID}","${SECRET}"\n`],
  ])("reads %s", (_, text) => expect(keyFromDocument(text)).toEqual(KEY));

  it.each([
    ["INI", renderKey("default", KEY)],
    ["half of it", "Access key ID,Secret access key\nID,"],
    ["other JSON", '{"Credentials":{"AccessKeyId":"ID"}}'],
    ["broken JSON", "{"],
    ["nothing", ""],
  ])("takes %s for neither", (_, text) => expect(keyFromDocument(text)).toBeNull());
});

it("takes what STS prints for what it is, so that it is refused as temporary", () => {
  const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = KEY;
  const text = JSON.stringify({ Credentials: { AccessKeyId, SecretAccessKey, SessionToken: "t" } });
  expect(keyFromDocument(text)).toEqual({ ...KEY, sessionToken: "t" });
});

describe("whyNoKey", () => {
  it.each([
    ["UTF-16, as PowerShell writes it", Buffer.from("\uFEFF{}", "utf16le").toString("utf8"), /PowerShell/],
    ["lines of a shell", "export AWS_ACCESS_KEY_ID=AKIA\n", /no key in a form that is known/],
    ["half a JSON document", '{"AccessKey": {', /no key in a form that is known/],
  ])("names %s", (_, text, why) => expect(whyNoKey(text)).toMatch(why));

  it("leaves a text with profiles to their own messages", () =>
    expect(whyNoKey("; mine\n[other]\n")).toBeNull());
});

describe("onlyProfile", () => {
  const FILE = `; mine
[admin]
aws_secret_access_key = admin

[default]
role_arn = arn:aws:iam::123456789012:role/Base
source_profile = vault
# of the base

[vault]
credential_process = /opt/signer --fast
[other]
aws_secret_access_key = other
`;

  it("takes the profile and its source, and nothing of the others", () =>
    expect(onlyProfile(FILE, "default")).toBe(`[default]
role_arn = arn:aws:iam::123456789012:role/Base
source_profile = vault
# of the base

[vault]
credential_process = /opt/signer --fast
`));

  it("does not go round in circles", () =>
    expect(onlyProfile("[a]\nsource_profile = b\n[b]\nsource_profile = a\n", "a")).toBe(
      "[a]\nsource_profile = b\n\n[b]\nsource_profile = a\n",
    ));
});
