/**
 * What we call AssumeRole with: the configured file, or the SDK's own chain where no file was set up.
 *
 * A plain key pair is read directly; only what needs the SDK's providers (`credential_process`, SSO, web
 * identity, IMDS) loads them.
 */
import type { AwsCredentialIdentity } from "@aws-sdk/types";
import { parse } from "ini";
import type { Config } from "../config/config.ts";
import { whoElseMayWrite } from "../config/trust.ts";
import { errorCode, errorText, Failure } from "../failure.ts";
import { readText } from "../host/read-file.ts";
import { oddPart } from "./key-text.ts";
import type { BoundedHandler } from "./network.ts";
import { refuseEndlessFiles } from "./shared-files.ts";

const MAX_BYTES = 256 * 1_024;

export interface BaseCredentials {
  identity: AwsCredentialIdentity;
  /** Where they came from, for messages: a file and profile, or the chain. */
  source: string;
}

/**
 * @param requestHandler for providers that call AWS themselves (SSO, web identity, a chained role): the same proxy
 *   and CAs count for them
 * @throws Failure of a `base_credentials_…` kind
 */
export async function loadBaseCredentials(
  config: Config,
  requestHandler?: BoundedHandler,
): Promise<BaseCredentials> {
  const clientConfig = { region: config.region, ...(requestHandler ? { requestHandler } : {}) };
  const { file, profile, isDefault } = config.baseCredentials;
  let text: string;
  try {
    text = await readText(file, { maxBytes: MAX_BYTES, followLink: true });
  } catch (error) {
    if (errorCode(error) === "ENOENT" && isDefault) return usable(await fromChain(config, clientConfig));
    throw unreadable(file, error);
  }
  const source = `profile "${profile}" of ${file}`;
  const identity = findKey(text, profile, file);
  if (identity !== null) return usable({ identity, source });
  refuseOthersProgram(text, file);
  return usable(await fromProviders(file, profile, source, clientConfig));
}

function usable(credentials: BaseCredentials): BaseCredentials {
  const odd = oddPart(credentials.identity);
  if (odd === null) return credentials;
  throw new Failure({
    kind: "base_credentials_invalid",
    message: `${credentials.source}: its ${odd} holds what no key of AWS has: a space, a character that is not ASCII, or too much`,
    nextStep: "Copy the key anew, as AWS showed it.",
  });
}

/** Line by line: one pattern for all would go over blank lines once for each of them. */
function namesProgram(text: string): boolean {
  return text.split("\n").some((line) => line.trim().startsWith("credential_process"));
}

/** Root runs no program that somebody else may have named there: `doctor` and `register` are typed by root. */
function refuseOthersProgram(text: string, file: string): void {
  if (process.geteuid?.() !== 0 || !namesProgram(text)) return;
  const why = whoElseMayWrite(file);
  if (why === null) return;
  throw new Failure({
    kind: "base_credentials_invalid",
    message: `${file} names a program (credential_process), which root does not run: ${why}`,
    nextStep: `Hand it to root: chown root ${file}; chmod 0640 ${file}; and its directory with it.`,
  });
}

/**
 * The key pair of a profile, in the text of a shared-credentials file.
 *
 * @param file its name, for messages
 * @returns null where the profile has no key but may name another source, such as a `credential_process`
 * @throws Failure `base_credentials_missing` where there is no such profile, or only half a key
 */
export function findKey(text: string, profile: string, file: string): AwsCredentialIdentity | null {
  const section = findSection(text, profile);
  if (section === null)
    throw missing(
      `${file} has no profile "${profile}"`,
      `Add [${profile}] with a key, or set base_credentials.profile.`,
    );
  const { aws_access_key_id: id, aws_secret_access_key: secret, aws_session_token: token } = section;
  if (typeof id === "string" && typeof secret === "string" && id !== "" && secret !== "") {
    const sessionToken = typeof token === "string" && token !== "" ? { sessionToken: token } : {};
    return { accessKeyId: id, secretAccessKey: secret, ...sessionToken };
  }
  if (id || secret)
    throw missing(
      `profile "${profile}" of ${file} has only half a key`,
      "It needs aws_access_key_id and aws_secret_access_key.",
    );
  return null;
}

/** `ini` makes a dotted section name into nested objects. */
function findSection(text: string, profile: string): Record<string, unknown> | null {
  // A byte order mark, as editors on Windows write it, would be taken for a part of the first section's name.
  let node: unknown = parse(text.replace(/^\uFEFF/, ""));
  for (const part of profile.split(".")) {
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, part)) return null;
    node = (node as Record<string, unknown>)[part];
  }
  return typeof node === "object" && node !== null ? { ...node } : null;
}

interface ClientConfig {
  region: string;
  requestHandler?: BoundedHandler;
}

async function fromProviders(
  file: string,
  profile: string,
  source: string,
  clientConfig: ClientConfig,
): Promise<BaseCredentials> {
  refuseEndlessFiles("base");
  const { fromIni } = await import("./providers.ts");
  try {
    const identity = await fromIni({
      filepath: file,
      configFilepath: file,
      profile,
      ignoreCache: true,
      clientConfig,
    })();
    return { identity, source };
  } catch (error) {
    // The providers' messages can repeat a credential_process command line with its arguments: not passed on.
    throw new Failure(
      {
        kind: "base_credentials_invalid",
        message: `${source} gave no credentials: neither a key pair nor a working credential_process`,
        nextStep: `Run what its credential_process names by hand, as the user of the service.`,
      },
      { cause: error },
    );
  }
}

async function fromChain(config: Config, clientConfig: ClientConfig): Promise<BaseCredentials> {
  refuseEndlessFiles("base");
  const { fromNodeProviderChain } = await import("./providers.ts");
  try {
    const identity = await fromNodeProviderChain({ clientConfig, ignoreCache: true })();
    return { identity, source: "the AWS SDK's default chain" };
  } catch (error) {
    throw new Failure(
      {
        kind: "base_credentials_missing",
        message: `there are no base credentials: ${config.baseCredentials.file} does not exist, and the AWS SDK's default chain found none either`,
        nextStep: `Write the key that may assume ${config.roleArn} to ${config.baseCredentials.file} (root:idc-helper, mode 0640).`,
      },
      { cause: error },
    );
  }
}

function unreadable(file: string, error: unknown): Failure {
  const code = errorCode(error);
  if (code === "ENOENT")
    return missing(
      `${file} (base_credentials.file) does not exist`,
      "Write it, or correct base_credentials.file.",
    );
  if (code === "EACCES") {
    return missing(
      `${file} may not be read by this user`,
      `Run: chown root:idc-helper ${file}; chmod 0640 ${file}`,
    );
  }
  return missing(
    `${file} cannot be read: ${errorText(error)}`,
    "It must be a regular file in AWS shared-credentials format.",
  );
}

function missing(message: string, nextStep: string): Failure {
  return new Failure({
    kind: "base_credentials_missing",
    message: `no base credentials: ${message}`,
    nextStep,
  });
}
