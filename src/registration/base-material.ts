/**
 * The host's base credentials, as an operator hands them over: a file, standard input, a hidden prompt, or what is
 * on the host already. Never an argument; and never a temporary key, which would end within hours.
 */
import { lstatSync } from "node:fs";
import type { AwsCredentialIdentity } from "@aws-sdk/types";
import { findKey } from "../aws/base-credentials.ts";
import { isLongLived, type OperatorCredentials } from "../aws/operator.ts";
import type { Config } from "../config/config.ts";
import { errorCode, errorText, Failure } from "../failure.ts";
import { readText, readTextIfPresent } from "../host/read-file.ts";
import { askSecret, askText, isInteractive } from "../host/terminal.ts";
import { keyFromDocument, onlyProfile, renderKey, whyNoKey } from "./key-formats.ts";
import { usage } from "./request.ts";

export { renderKey } from "./key-formats.ts";

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
  const { file, profile, isDefault } = config.baseCredentials;
  if (given === "-" && process.stdin.isTTY) {
    // What is typed there would be shown as it is typed.
    if (mayAsk && isInteractive()) return askForKey(profile, null);
    throw usage(["--base-credentials -: standard input is a terminal, on which a secret would be shown"]);
  }
  if (given === "-") return fromStandardInput(await readStandardInput(), profile);
  if (given !== undefined && given !== file) return fromText(await readGiven(given), profile, given);
  const present = await readTextIfPresent(file, { maxBytes: MAX_BYTES, followLink: true }).catch((error) => {
    throw unreadable(file, error);
  });
  if (present !== null) return inPlace(present, profile, file, isDefault);
  if (given !== undefined) await readGiven(given);
  if (mayAsk && isInteractive()) return askForKey(profile, operator);
  if (operator !== null && isLongLived(operator.identity)) return operatorsKey(operator, profile);
  throw noMaterial(file);
}

/** Of a file that holds more than the key, only what the host needs is taken over. */
function fromText(given: string, profile: string, source: string): BaseMaterial {
  const text = withoutMark(given);
  refuseUnknownForm(text, source);
  const identity = keyFromDocument(text) ?? findKey(text, profile, source);
  refuseTemporary(identity, source);
  const kept = identity === null ? onlyProfile(text, profile) : renderKey(profile, identity);
  return { text: kept, identity, source, isOperators: false };
}

/** Where it is in the form that the service reads, its text stays; at our own place, its mode is set right. */
function inPlace(present: string, profile: string, file: string, isOurs: boolean): BaseMaterial {
  const text = withoutMark(present);
  refuseUnknownForm(text, file);
  const key = keyFromDocument(text);
  if (key !== null) return fromText(text, profile, file);
  const identity = findKey(text, profile, file);
  refuseTemporary(identity, file);
  const isPlainFile = lstatSync(file).isFile();
  return { text: isOurs && isPlainFile ? text : null, identity, source: file, isOperators: false };
}

/** An editor on Windows puts a byte order mark at the beginning, by which no profile of that name is found. */
function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, "");
}

function refuseUnknownForm(text: string, source: string): void {
  const why = keyFromDocument(text) === null ? whyNoKey(text) : null;
  if (why === null) return;
  throw new Failure({
    kind: "base_credentials_invalid",
    message: `${source} ${why}`,
    nextStep: "Such as: aws iam create-access-key --user-name idc-codedeploy-base > key.json",
  });
}

function fromStandardInput(text: string, profile: string): BaseMaterial {
  const material = fromText(text, profile, "standard input");
  if (material.identity !== null) return material;
  throw new Failure({
    kind: "base_credentials_invalid",
    message: `profile "${profile}" on standard input has no key of its own`,
    nextStep: "What names a credential_process or another source is tried first: give it as a file.",
  });
}

function refuseTemporary(identity: AwsCredentialIdentity | null, source: string): void {
  if (identity === null || isLongLived(identity)) return;
  throw new Failure({
    kind: "base_credentials_invalid",
    message: `the base credentials in ${source} are temporary: they would end within hours`,
    nextStep:
      "Give the key of an IAM user that may only assume the role (idc-helper iam prints its policy), or a credential_process.",
  });
}

async function askForKey(profile: string, operator: OperatorCredentials | null): Promise<BaseMaterial> {
  const ownKey = operator !== null && isLongLived(operator.identity) ? operator : null;
  const accessKeyId = await askText({
    message: `Access key id of the host's base identity${ownKey ? " (empty: the operator's own key)" : ""}:`,
    validate: (answer) => (answer.trim() === "" && ownKey !== null) || whatIsWrongWithKeyId(answer.trim()),
  });
  if (accessKeyId.trim() === "" && ownKey !== null) return operatorsKey(ownKey, profile);
  const secretAccessKey = await askSecret({
    message: "Its secret access key (not shown):",
    validate: (answer) => /^[\x21-\x7e]{16,128}$/.test(answer.trim()) || "A secret access key has no spaces",
  });
  const identity = { accessKeyId: accessKeyId.trim(), secretAccessKey: secretAccessKey.trim() };
  return { text: renderKey(profile, identity), identity, source: "the prompt", isOperators: false };
}

function whatIsWrongWithKeyId(id: string): true | string {
  if (!/^A[A-Z0-9]{15,127}$/.test(id))
    return "An access key id, such as AKIA…: 16 to 128 capital letters and digits";
  return id.startsWith("ASIA") ? "ASIA… is a temporary key, which ends within hours" : true;
}

function operatorsKey({ identity, source }: OperatorCredentials, profile: string): BaseMaterial {
  return { text: renderKey(profile, identity), identity, source, isOperators: true };
}

async function readGiven(path: string): Promise<string> {
  try {
    return await readText(path, { maxBytes: MAX_BYTES, followLink: true });
  } catch (error) {
    const code = errorCode(error);
    if (isKeyItself(path)) throw keyAsArgument();
    throw usage([
      `--base-credentials ${path}: ${code === "ENOENT" ? "there is no such file" : code === "EACCES" ? "permission denied" : errorText(error)}`,
    ]);
  }
}

/** An access key id or a secret, given where a file's name belongs: it must not be repeated. */
function isKeyItself(path: string): boolean {
  return path === "" || /^A[A-Z0-9]{3}[A-Z0-9]{12,124}(?:[\s:,]|$)|^[A-Za-z0-9/+=]{40}$|[\n[{]/.test(path);
}

function keyAsArgument(): Failure {
  return usage([
    "--base-credentials takes the name of a file, or - for standard input, and this is neither. If it is a key, it is no secret any more: every user of this host could read it in the list of processes, so replace it",
  ]);
}

async function readStandardInput(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) text = (text + chunk).slice(0, MAX_BYTES);
  if (text.trim() === "") throw usage(["--base-credentials -: nothing came on standard input"]);
  return text;
}

function unreadable(file: string, error: unknown): Failure {
  return new Failure({
    kind: "base_credentials_missing",
    message: `${file} (base_credentials.file) cannot be read: ${errorText(error)}`,
    nextStep: `It must be a regular file in AWS shared-credentials format: ls -l ${file}`,
  });
}

function noMaterial(file: string): Failure {
  return new Failure({
    kind: "base_credentials_missing",
    message: `there are no base credentials for this host: ${file} does not exist, and the operator's own credentials are temporary and cannot be kept`,
    nextStep:
      "Give the key that may assume the role: --base-credentials FILE, or - for standard input (what aws iam create-access-key prints will do).",
  });
}
