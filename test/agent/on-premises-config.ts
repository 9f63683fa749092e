/**
 * `codedeploy.onpremises.yml`, which the worker reads once, when it starts: who the host is, where, and where its
 * credentials lie. What the original refuses is refused here too (`onpremise_config.rb`), and kills the worker.
 */
import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { withoutColons } from "./agent-settings.ts";
import type { CredentialSource, HeldCredentials } from "./credential-holder.ts";

export interface OnPremisesConfig {
  /** What it polls as: a session, or the IAM user of an older kind of registration. */
  sessionArn: string;
  /** For an IAM user this file itself: its key lies in it. */
  credentialsFile: string;
  region: string;
}

export function readOnPremisesConfig(path: string): OnPremisesConfig {
  const values = parse(path);
  if (values.iam_user_arn && values.iam_session_arn) {
    throw new Error("On Premises config cannot contain both 'iam_user_arn' and 'iam_session_arn' keys.");
  }
  if (values.iam_user_arn) {
    if (!values.region) throw new Error("'region' key is required when 'iam_user_arn' is provided.");
    return { sessionArn: String(values.iam_user_arn), credentialsFile: path, region: String(values.region) };
  }
  // Without either ARN the original turns to EC2's metadata service, which a host on premises does not have.
  if (!values.iam_session_arn) throw new Error(`no 'iam_session_arn' in ${path}: this host has no identity`);
  for (const key of ["region", "aws_credentials_file"]) {
    if (!values[key]) throw new Error(`'${key}' key is required when 'iam_session_arn' is provided.`);
  }
  return {
    sessionArn: String(values.iam_session_arn),
    credentialsFile: String(values.aws_credentials_file),
    region: String(values.region),
  };
}

/** The key of an IAM user, which the original takes from this file once; null for a session. */
export function userKeySource(path: string): CredentialSource | null {
  const values = parse(path);
  if (!values.iam_user_arn) return null;
  const credentials: HeldCredentials = {
    accessKeyId: String(values.aws_access_key_id),
    secretAccessKey: String(values.aws_secret_access_key),
    sessionToken: undefined,
  };
  return () => ({ kind: "read", credentials });
}

function parse(path: string): Record<string, unknown> {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch {
    throw new Error(`On Premises config file ${path} does not exist or not readable`);
  }
  try {
    return withoutColons(load(content), path);
  } catch {
    throw new Error(`the format of the on-premises configuration file is invalid: ${path}`);
  }
}
