/** Flags, and the config where there is one, to what the documents are made of; or all that is wrong, at once. */
import { parseRoleArn, partitionOf } from "../aws/arn.ts";
import type { Config } from "../config/config.ts";
import { Failure } from "../failure.ts";
import { type CertificateFlags, readCertificate } from "./certificate.ts";
import type { IamInputs } from "./inputs.ts";
import { DEFAULT_BASE_NAME, DEFAULT_ROLE_NAME } from "./names.ts";

export interface IamFlags extends CertificateFlags {
  roleArn?: string;
  region?: string;
  account?: string;
  serialPattern?: string;
  bucket?: string;
  baseArn?: string;
  authPolicy?: boolean;
}

export interface IamReading {
  inputs: IamInputs;
  /** What is allowed, and yet worth knowing before it is live. */
  notes: string[];
}

/** One that is always wrong, so that the rest of the flags can still be judged. */
const NO_ROLE = { partition: "aws", account: "", path: "", name: "" };

/** @param misuse what is wrong with other flags of the command @throws Failure of kind usage with every error */
export function readIamInputs(
  flags: IamFlags,
  config: Config | null,
  misuse: readonly string[] = [],
): IamReading {
  const errors: string[] = [...misuse];
  const notes: string[] = [];
  const region = readRegion(flags, config, errors);
  const role = readRole(flags, config, region, errors);
  const { partition, account, path, name } = role;
  const base = readBase(flags, role, errors);
  const certificate = readCertificate(flags, role, config, errors);
  const serialPattern = readSerialPattern(flags, config, errors, notes);
  const bucket = readBucket(flags, errors);
  if (errors.length > 0) throw misused(errors);
  const sessionSeconds = Math.max(3600, Math.ceil((config?.sessionDurationMs ?? 0) / 1000));
  const isChained = base.kind === "role";
  if (isChained && sessionSeconds > 3600)
    notes.push(
      "session_duration is longer than 1h, which AWS refuses to a base identity that is a role itself: set it to 1h",
    );
  const inputs: IamInputs = {
    ...{ partition, account, region, role: { path, name }, base, serialPattern, bucket, certificate },
    authPolicy: flags.authPolicy ?? false,
    maxSessionSeconds: isChained ? 3600 : sessionSeconds,
  };
  return { inputs, notes };
}

export function misused(errors: readonly string[]): Failure {
  const summary = errors.length === 1 ? "" : `${errors.length} errors:\n`;
  return new Failure({
    kind: "usage",
    message: summary + errors.join("\n"),
    nextStep: "idc-helper iam --help shows every flag with an example.",
  });
}

function readRegion({ region = "" }: IamFlags, config: Config | null, errors: string[]): string {
  const found = region || (config?.region ?? "");
  if (found === "") errors.push("--region is missing: the region of CodeDeploy, such as ap-northeast-2");
  else if (!/^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/.test(found))
    errors.push(`--region ${shown(found)} is no AWS region, such as ap-northeast-2`);
  return found;
}

type Role = typeof NO_ROLE;

function readRole(
  { roleArn, account }: IamFlags,
  config: Config | null,
  region: string,
  errors: string[],
): Role {
  const partition = partitionOf(region);
  if (account !== undefined && !/^\d{12}$/.test(account)) {
    errors.push(`--account ${shown(account)} is no account: twelve digits`);
    return NO_ROLE;
  }
  const arn = roleArn ?? (account === undefined ? config?.roleArn : undefined);
  if (arn === undefined) {
    if (account !== undefined)
      return { partition: partition ?? "aws", account, path: "", name: DEFAULT_ROLE_NAME };
    errors.push(
      `--role-arn is missing: the role that hosts assume, such as arn:aws:iam::123456789012:role/${DEFAULT_ROLE_NAME} (or --account 123456789012 for a role of that name)`,
    );
    return NO_ROLE;
  }
  const role = parseRoleArn(arn);
  if (role === null) {
    errors.push(
      `--role-arn ${shown(arn)} is no role: it looks like arn:aws:iam::123456789012:role/${DEFAULT_ROLE_NAME}`,
    );
    return NO_ROLE;
  }
  if (account !== undefined && account !== role.account)
    errors.push(`--account ${account} is not the account of --role-arn ${arn}`);
  if (partition !== null && partition !== role.partition)
    errors.push(`--region ${region} belongs to arn:${partition}:…, --role-arn to arn:${role.partition}:…`);
  return role;
}

const BASE_ARN = /^arn:(aws(?:-[a-z]+)*):iam::(\d{12}):(user|role)\/((?:[\w+=,.@/-]+\/)?)([\w+=,.@-]{1,64})$/;

function readBase({ baseArn, certificate }: IamFlags, role: Role, errors: string[]): IamInputs["base"] {
  if (baseArn === undefined)
    return { kind: certificate ? "role" : "user", path: "", name: DEFAULT_BASE_NAME };
  const [, partition, account, kind, path = "", name = ""] = BASE_ARN.exec(baseArn) ?? [];
  if (kind === undefined)
    errors.push(
      `--base-arn ${shown(baseArn)} is neither a user nor a role, such as arn:aws:iam::123456789012:user/${DEFAULT_BASE_NAME}`,
    );
  else if (certificate && kind !== "role")
    errors.push(
      `--base-arn ${baseArn} must be a role with --certificate: IAM Roles Anywhere assumes roles only`,
    );
  else if (role !== NO_ROLE && (partition !== role.partition || account !== role.account))
    errors.push(`--base-arn ${baseArn} is not in the role's account, ${role.account}`);
  return { kind: kind === "role" ? "role" : "user", path, name };
}

function readSerialPattern(
  { serialPattern }: IamFlags,
  config: Config | null,
  errors: string[],
  notes: string[],
): string {
  if (serialPattern !== undefined) {
    if (!/^[\w+=,.@*?-]{1,64}$/.test(serialPattern))
      errors.push(
        `--serial-pattern ${shown(serialPattern)} may have 1 to 64 of A-Z a-z 0-9 _ + = , . @ - and * ? for any characters, any one character`,
      );
    return serialPattern;
  }
  if (config !== null) {
    notes.push(
      `only the serial ${config.serial} is allowed; for a fleet give --serial-pattern, such as 'web-*'`,
    );
    return config.serial;
  }
  notes.push("every serial is allowed; narrow it with --serial-pattern, such as 'web-*'");
  return "*";
}

function readBucket({ bucket = "" }: IamFlags, errors: string[]): string {
  if (bucket === "")
    errors.push("--bucket is missing: the S3 bucket that holds your revisions, the only one hosts may read");
  else if (!isBucket(bucket))
    errors.push(
      `--bucket ${shown(bucket)} is no bucket name: 3 to 63 of a-z 0-9 . - and neither s3:// nor a path`,
    );
  return bucket;
}

/** S3 user guide, "General purpose bucket naming rules": no two dots in a row, and nothing like an IP address. */
function isBucket(name: string): boolean {
  if (name.includes("..") || /^\d+(?:\.\d+){3}$/.test(name)) return false;
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name);
}

/** What was typed, short and on one line. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
