/** Credentials files as people, programs and attackers leave them. Programs that they name do nothing. */
import * as fc from "fast-check";
import { word } from "../words.ts";

const KEY = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE";
const SECRET = "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const PROFILES = [
  "default",
  "deploy",
  "a.b",
  "a/b",
  "x@y",
  "+",
  "-",
  ".",
  "..",
  "__proto__",
  "constructor",
  "profile",
];

export const profileName: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.constantFrom("default", ...PROFILES), weight: 3 },
  { arbitrary: fc.stringMatching(/^[\w.@/+-]{1,12}$/), weight: 1 },
);

const header = profileName.chain((name) =>
  fc.constantFrom(
    `[${name}]`,
    `[profile ${name}]`,
    ` [${name}]`,
    `[ ${name} ]`,
    `[${name}] # x`,
    `[${name}] ; x`,
    `[${name}`,
    `[[${name}]]`,
    `[${name}]x`,
    `[profile  ${name}]`,
    `[profile\t${name} ]`,
    `[${name.toUpperCase()}]`,
    `\ufeff[${name}]`,
    `[${name}]\r`,
  ),
);
const setting = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "AWS_ACCESS_KEY_ID",
        " aws_session_token",
        "s3",
        "  x",
        "source_profile",
        "role_arn",
        "sso_session",
        "web_identity_token_file",
        "credential_source",
        "include",
      ),
      word,
    ),
    fc.constantFrom(" = ", "=", " =", ": ", " "),
    word,
  )
  .map((parts) => parts.join(""));
const other = fc.constantFrom(
  KEY,
  SECRET,
  "",
  "   ",
  "# x",
  "; x",
  " ; x",
  "aws_session_token =",
  "s3 =",
  "  max = 10",
  "\taws_session_token = nested",
  "no equals",
  "credential_process = /bin/false",
  "credential_process = /bin/echo {}",
  `"aws_access_key_id" = "x"`,
  "aws_access_key_id[] = x",
);

export const iniText: fc.Arbitrary<string> = fc
  .array(
    fc.tuple(
      fc.oneof(
        { arbitrary: header, weight: 2 },
        { arbitrary: setting, weight: 3 },
        { arbitrary: other, weight: 3 },
      ),
      fc.constantFrom("\n", "\n", "\n", "\r\n", "\r", "", "\n\n", " \n", "\u2028"),
    ),
    { maxLength: 12 },
  )
  .map((lines) => lines.map((parts) => parts.join("")).join(""));

export const INI_CORPUS: readonly string[] = [
  "",
  "\n",
  "\0",
  "[default]",
  `[default]\n${KEY}\n${SECRET}`,
  `[default]\r\n${KEY}\r\n${SECRET}\r\n`,
  `[default]\r${KEY}\r${SECRET}\r`,
  `\ufeff[default]\n${KEY}\n${SECRET}\n`,
  `[default]\n${KEY}\n`,
  `[default]\n${KEY}\n${SECRET}\n[default]\n${KEY}\n`,
  `[profile default]\n${KEY}\n${SECRET}\n`,
  `[default]\naws_access_key_id[] = x\naws_secret_access_key[] = y\n`,
  `[default]\n${KEY}\naws_secret_access_key = "\n`,
  `[default]\n${KEY}\naws_secret_access_key = "\\ud800"\n`,
  `[default]\naws_access_key_id\naws_secret_access_key\n`,
  `[default.aws_access_key_id]\nx = y\n[default]\n${SECRET}\n`,
  `[default]\naws_access_key_id = true\naws_secret_access_key = null\n`,
  `[${"a.".repeat(60_000)}a]\n${KEY}\n`,
  `[${"a".repeat(200_000)}\n`,
  "[".repeat(200_000),
  "[profile ".repeat(20_000),
  `[profile${" ".repeat(200_000)}`,
  `[${" ".repeat(200_000)}`,
  `[a${" ".repeat(200_000)}`,
  `[default]\n${" ".repeat(200_000)}x\n`,
  `[default]\nx = ${" ".repeat(200_000)}x\n`,
  `[default]\n${"x ".repeat(100_000)}\n`,
  `[default]\n${";".repeat(200_000)}\n`,
  `[default]\n${" ;".repeat(100_000)}\n`,
  "[default]\n".repeat(20_000),
  Array.from({ length: 15_000 }, (_, index) => `[p${index}]`).join("\n"),
  "\n".repeat(200_000),
  "\r".repeat(200_000),
  "\u2028".repeat(60_000),
  "\0".repeat(200_000),
  "[__proto__]\naws_access_key_id = A\naws_secret_access_key = B\n",
  "[default]\n__proto__ = x\nconstructor = y\n",
  "[default]\ncredential_process = /bin/false\n",
  '[default]\ncredential_process = /bin/echo {"Version":1}\n',
  "[default]\ncredential_process = /bin/echo not json\n",
  "[default]\ncredential_process = /nonexistent/program\n",
  "[default]\ncredential_process =\n",
  "[default]\nsource_profile = default\nrole_arn = arn:aws:iam::123456789012:role/x\n",
  "[default]\nsource_profile = other\nrole_arn = x\n[other]\nsource_profile = default\nrole_arn = y\n",
  "[default]\nrole_arn = x\ncredential_source = Environment\n",
  "[default]\nweb_identity_token_file = /dev/null\nrole_arn = x\n",
  "[default]\nsso_session = x\nsso_account_id = 1\nsso_role_name = y\n[sso-session x]\nsso_region = z\nsso_start_url = http://127.0.0.1:1\n",
];
