/**
 * The operator's identity: a person's, from the SDK's own chain or a named profile. It may register and tag, it is
 * used while a command runs, and nothing here ever writes it down.
 */
import type { AwsCredentialIdentity } from "@aws-sdk/types";
import { Failure } from "../failure.ts";
import { oddPart } from "./key-text.ts";
import type { BoundedHandler } from "./network.ts";
import { refuseEndlessFiles } from "./shared-files.ts";

export interface OperatorCredentials {
  identity: AwsCredentialIdentity;
  /** Where they came from, for messages. */
  source: string;
}

export interface OperatorSource {
  /** A profile of the operator's own AWS files; null for the SDK's default chain. */
  profile: string | null;
  region: string;
  requestHandler: BoundedHandler;
}

/** @throws Failure `operator_credentials_missing` or `operator_credentials_invalid`, which repeats nothing of what the provider said */
export async function loadOperatorCredentials(source: OperatorSource): Promise<OperatorCredentials> {
  const { profile, region, requestHandler } = source;
  refuseEndlessFiles("operator");
  const { fromIni, fromNodeProviderChain } = await import("./providers.ts");
  const options = { clientConfig: { region, requestHandler }, ignoreCache: true };
  let found: OperatorCredentials;
  try {
    found =
      profile !== null
        ? { identity: await fromIni({ ...options, profile })(), source: `profile "${profile}"` }
        : { identity: await fromNodeProviderChain(options)(), source: "the AWS SDK's default chain" };
  } catch (error) {
    // A provider's message can repeat a command line with its arguments: it is kept as the cause only.
    throw new Failure(
      {
        kind: "operator_credentials_missing",
        message:
          profile === null
            ? "there are no operator's credentials: the AWS SDK's default chain (environment, ~/.aws, SSO, instance metadata) found none"
            : `there are no operator's credentials: profile "${profile}" does not exist or gave none`,
        nextStep:
          "Log in as someone who may register on-premises instances (idc-helper iam prints the policy), or name a profile with --profile. sudo hides your environment and ~/.aws: sudo AWS_SHARED_CREDENTIALS_FILE=/home/YOU/.aws/credentials idc-helper ... passes them on.",
      },
      { cause: error },
    );
  }
  const odd = oddPart(found.identity);
  if (odd === null) return found;
  throw new Failure({
    kind: "operator_credentials_invalid",
    message: `the operator's credentials (${found.source}): their ${odd} holds what no key of AWS has: a space, a character that is not ASCII, or too much`,
    nextStep: "Copy the key anew, as AWS showed it, or name another profile with --profile.",
  });
}

/** A key that does not expire, and so could be kept; temporary ones come with a session token, and begin with ASIA. */
export function isLongLived({ accessKeyId, sessionToken }: AwsCredentialIdentity): boolean {
  return sessionToken === undefined && !accessKeyId.startsWith("ASIA");
}
