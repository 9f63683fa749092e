/**
 * The host's base credentials, as an operator hands them over: a file, standard input, a hidden prompt, or what is
 * on the host already. Never an argument; and never a temporary key, which would end within hours.
 */
import type { AwsCredentialIdentity } from "@aws-sdk/types";
import { findKey } from "../aws/base-credentials.ts";
import { isLongLived, type OperatorCredentials } from "../aws/operator.ts";
import type { Config } from "../config/config.ts";
import { errorCode, errorText, Failure } from "../failure.ts";
import { readText, readTextIfPresent } from "../host/read-file.ts";
import { askSecret, askText, isInteractive } from "../host/terminal.ts";
import { usage } from "./request.ts";

export interface BaseMaterial {
  /** What the base credentials file is to hold; null to leave the file as it is. */
  text: string | null;
  /** Null where something else than a key pair gives them (`credential_process`). */
  identity: AwsCredentialIdentity | null;
  /** For messages. */
  source: string;
  /** Whether it is the operator's own key, which then lies on the host. */
  isOperators: boolean;
}

export interface MaterialOptions {
  /** `--base-credentials`: a file, `-` for standard input, or not given. */
  given: string | undefined;
  config: Config;
  operator: OperatorCredentials | null;
  mayAsk: boolean;
}

const MAX_BYTES = 64 * 1_024;

/** @throws Failure `base_credentials_missing` */
export async function gatherBaseMaterial(options: MaterialOptions): Promise<BaseMaterial> {
  const { given, config, operator, mayAsk } = options;
  const { file, profile } = config.baseCredentials;
  if (given === "-") return fromText(await readStandardInput(), profile, "standard input", false);
  if (given !== undefined) return fromText(await readGiven(given), profile, given, given === file);
  const present = await readTextIfPresent(file, { maxBytes: MAX_BYTES, followLink: true });
  if (present !== null) return fromText(present, profile, file, true);
  if (mayAsk && isInteractive()) return askForKey(profile, operator);
  if (operator !== null && isLongLived(operator.identity)) return operatorsKey(operator, profile);
  throw noMaterial(file);
}

/** Shared-credentials format, the JSON that `aws iam create-access-key` prints, or the console's CSV. */
function fromText(text: string, profile: string, source: string, isInPlace: boolean): BaseMaterial {
  const key = keyFromJson(text) ?? keyFromCsv(text);
  const identity = key ?? findKey(text, profile, source);
  if (identity !== null && !isLongLived(identity)) {
    throw new Failure({
      kind: "base_credentials_invalid",
      message: `the base credentials in ${source} are temporary (they have a session token): they would end within hours`,
      nextStep:
        "Give the key of an IAM user that may only assume the role (idc-helper iam prints its policy), or a credential_process.",
    });
  }
  const rendered = identity === null ? text : renderKey(profile, identity);
  return { text: isInPlace ? null : rendered, identity, source, isOperators: false };
}

function keyFromJson(text: string): AwsCredentialIdentity | null {
  if (!text.trimStart().startsWith("{")) return null;
  try {
    const value = JSON.parse(text) as { AccessKey?: Record<string, unknown> };
    const { AccessKeyId: id, SecretAccessKey: secret } = value.AccessKey ?? {};
    return typeof id === "string" && typeof secret === "string" ? key(id, secret) : null;
  } catch {
    return null;
  }
}

function keyFromCsv(text: string): AwsCredentialIdentity | null {
  const [header = "", row = ""] = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (!/^access key id,secret access key\s*$/i.test(header)) return null;
  const [id, secret] = row.split(",");
  return id && secret ? key(id.trim(), secret.trim()) : null;
}

function key(accessKeyId: string, secretAccessKey: string): AwsCredentialIdentity {
  return { accessKeyId, secretAccessKey };
}

export function renderKey(profile: string, { accessKeyId, secretAccessKey }: AwsCredentialIdentity): string {
  return `[${profile}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
}

async function askForKey(profile: string, operator: OperatorCredentials | null): Promise<BaseMaterial> {
  const ownKey = operator !== null && isLongLived(operator.identity) ? operator : null;
  const accessKeyId = await askText({
    message: `Access key id of the host's base identity${ownKey ? " (empty: the operator's own key)" : ""}:`,
    validate: (answer) =>
      (answer.trim() === "" && ownKey !== null) ||
      /^A[A-Z0-9]{15,127}$/.test(answer.trim()) ||
      "An access key id, such as AKIA…: 16 to 128 capital letters and digits",
  });
  if (accessKeyId.trim() === "" && ownKey !== null) return operatorsKey(ownKey, profile);
  const secretAccessKey = await askSecret({
    message: "Its secret access key (not shown):",
    validate: (answer) => /^[\x21-\x7e]{16,128}$/.test(answer.trim()) || "A secret access key has no spaces",
  });
  const identity = key(accessKeyId.trim(), secretAccessKey.trim());
  return { text: renderKey(profile, identity), identity, source: "the prompt", isOperators: false };
}

function operatorsKey({ identity, source }: OperatorCredentials, profile: string): BaseMaterial {
  return { text: renderKey(profile, identity), identity, source, isOperators: true };
}

async function readGiven(path: string): Promise<string> {
  try {
    return await readText(path, { maxBytes: MAX_BYTES, followLink: true });
  } catch (error) {
    const code = errorCode(error);
    throw usage([
      `--base-credentials ${path}: ${code === "ENOENT" ? "there is no such file" : code === "EACCES" ? "permission denied" : errorText(error)}`,
    ]);
  }
}

async function readStandardInput(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) text = (text + chunk).slice(0, MAX_BYTES);
  if (text.trim() === "") throw usage(["--base-credentials -: nothing came on standard input"]);
  return text;
}

function noMaterial(file: string): Failure {
  return new Failure({
    kind: "base_credentials_missing",
    message: `there are no base credentials for this host: ${file} does not exist, and the operator's own credentials are temporary and cannot be kept`,
    nextStep:
      "Give the key that may assume the role: --base-credentials FILE, or - for standard input (what aws iam create-access-key prints will do).",
  });
}
