/**
 * What goes wrong around secrets: base credentials as people spoil them, programs that print what they should not, and
 * answers of STS with secrets where none belong. Each is answered by a message, and no message may repeat a secret.
 */
import { BASE_KEY } from "../../aws-emulator/emulator.ts";
import type { FaultSpec } from "../../aws-emulator/faults/fault.ts";
import { fixedPassword, fixedSecret, randomBetweenMarks } from "../../aws-emulator/identity/canary.ts";

const ID = BASE_KEY.accessKeyId;
const SECRET = BASE_KEY.secretAccessKey;
/** As long as a real one: what is not ours is known by that alone. */
const TOKEN = fixedSecret("session token") + randomBetweenMarks("session token", 400);

export const SIGNER = "/opt/signer";

export interface OddBase {
  what: string;
  /** Of the base credentials file. */
  text: string;
  /** What {@link SIGNER} is, where it is named. */
  program?: string;
}

const signed = (what: string, program: string): OddBase => ({
  what: `a credential_process that ${what}`,
  text: `[default]\ncredential_process = ${SIGNER}\n`,
  program: `#!/bin/sh\n${program}\n`,
});

export const ODD_BASES: readonly OddBase[] = [
  { what: "no id", text: `[default]\naws_secret_access_key = ${SECRET}\n` },
  {
    what: "id and secret swapped",
    text: `[default]\naws_access_key_id = ${SECRET}\naws_secret_access_key = ${ID}\n`,
  },
  { what: "the secret as the profile's name", text: `[${SECRET}]\naws_access_key_id = ${ID}\n` },
  { what: "the secret on a line of its own", text: `[default]\naws_access_key_id = ${ID}\n${SECRET}\n` },
  { what: "quotes", text: `[default]\naws_access_key_id = "${ID}"\naws_secret_access_key = "${SECRET}"\n` },
  {
    what: "a wrong secret",
    text: `[default]\naws_access_key_id = ${ID}\naws_secret_access_key = ${fixedSecret("foreign")}\n`,
  },
  {
    what: "a token that STS does not know",
    text: `[default]\naws_access_key_id = ASIAIDCBASE000000001\naws_secret_access_key = ${SECRET}\naws_session_token = ${TOKEN}\n`,
  },
  {
    what: "a line end in the key",
    text: `[default]\naws_access_key_id = ${ID}\naws_secret_access_key = ${SECRET}\\n\n`,
  },
  {
    what: "a cut-off JSON of create-access-key",
    text: `{"AccessKey":{"AccessKeyId":"${ID}","SecretAccessKey":"${SECRET}"`,
  },
  { what: "the secret before a JSON", text: `${SECRET}{"AccessKey":{}}` },
  { what: "a cut-off CSV", text: `Access key ID,Secret access key\r\n${SECRET}\r\n` },
  {
    what: "a chained role without a source",
    text: `[default]\nrole_arn = arn:aws:iam::1:role/${SECRET}\nsource_profile = gone\n`,
  },
  signed("prints the secret and no JSON", `echo '${SECRET}'`),
  signed("prints a JSON without a version", `echo '{"AccessKeyId":"${ID}","SecretAccessKey":"${SECRET}"}'`),
  signed("prints a JSON that is cut off", `printf '{"Version":1,"SecretAccessKey":"${SECRET}'`),
  signed("fails, and tells why with the secret", `echo 'no: ${SECRET}' >&2; exit 1`),
  signed(
    "warns with the secret, and gives a key that has expired",
    `echo 'careful: ${SECRET}' >&2; echo '{"Version":1,"AccessKeyId":"${ID}","SecretAccessKey":"${SECRET}","Expiration":"2020-01-01T00:00:00Z"}'`,
  ),
];

/** The canonical string that AWS's services quote holds the token of temporary base credentials. */
const QUOTED = `The request signature we calculated does not match the signature you provided. The Canonical String for this request should have been 'POST x-amz-security-token:${TOKEN} ${SECRET}'`;

const exception = (code: string): FaultSpec => ({ kind: "exception", code, message: QUOTED });

export const ODD_ANSWERS: readonly FaultSpec[] = [
  ...(["missing-field", "newline-in-token", "ini-syntax-in-token", "wrong-session-arn"] as const).map(
    (kind) => ({ kind }),
  ),
  ...(["expired-answer", "bad-date", "truncated", "garbage", "reset-mid-body"] as const).map((kind) => ({
    kind,
  })),
  { kind: "missing-field", field: "SecretAccessKey" },
  { kind: "missing-field", field: "Expiration" },
  { kind: "missing-field", field: "Arn" },
  ...["SignatureDoesNotMatch", "AccessDenied", "ValidationError", "Throttling", "SomethingNew"].map(
    exception,
  ),
  { kind: "redirect", location: `http://127.0.0.1:9/?token=${TOKEN}` },
];

/** A proxy's password, where people put it: in the environment, where it may be, and in the config, where it may not. */
const PROXY = `who:${fixedPassword()}@127.0.0.1`;

export const ODD_CONFIGS: readonly string[] = [
  `network: { proxy: "http://${PROXY}:9" }\n`,
  `network: { proxy: ${PROXY} }\n`,
  `network: { proxy: "http://${PROXY} :9" }\n`,
  `network:\n  proxy: http://${PROXY}: x\n`,
  `aws_secret_access_key: ${SECRET}\n`,
  `endpoints: { sts: "https://${PROXY}:9" }\n`,
];
