/**
 * A certificate on each host instead of one shared key: the flags for IAM Roles Anywhere, and the profile that
 * takes the place of the key in the base credentials file.
 */
import type { RoleArn } from "../aws/arn.ts";
import type { Config } from "../config/config.ts";
import { baseArn, type CertificateInputs, type IamInputs } from "./inputs.ts";
import { CERTIFICATE_FILES } from "./names.ts";

export interface CertificateFlags {
  certificate?: boolean;
  trustAnchorArn?: string;
  profileArn?: string;
}

const ANYWHERE_ARN = /^arn:(aws(?:-[a-z]+)*):rolesanywhere:([a-z0-9-]+):(\d{12}):([a-z-]+)\/[0-9a-f-]{36}$/;

/** @returns null without --certificate, and where something is wrong, which is then among the errors */
export function readCertificate(
  { certificate, trustAnchorArn, profileArn }: CertificateFlags,
  role: RoleArn,
  config: Config | null,
  errors: string[],
): CertificateInputs | null {
  if (!certificate) {
    if (trustAnchorArn !== undefined) errors.push("--trust-anchor-arn needs --certificate");
    if (profileArn !== undefined) errors.push("--profile-arn needs --certificate");
    return null;
  }
  const anchorRegion = readArn("--trust-anchor-arn", "trust-anchor", trustAnchorArn, role, errors);
  const profileRegion = readArn("--profile-arn", "profile", profileArn, role, errors);
  if (trustAnchorArn === undefined || profileArn === undefined) return null;
  if (anchorRegion === null || profileRegion === null) return null;
  if (anchorRegion !== profileRegion)
    errors.push(`--trust-anchor-arn is in ${anchorRegion}, --profile-arn in ${profileRegion}`);
  const credentialsProfile = config?.baseCredentials.profile ?? "default";
  return { trustAnchorArn, profileArn, region: anchorRegion, credentialsProfile };
}

/** @returns the ARN's region, or null where it is wrong */
function readArn(
  flag: string,
  type: string,
  arn: string | undefined,
  role: RoleArn,
  errors: string[],
): string | null {
  const example = `arn:aws:rolesanywhere:ap-northeast-2:123456789012:${type}/11111111-2222-3333-4444-555555555555`;
  if (arn === undefined) {
    errors.push(`${flag} is missing: --certificate needs it, such as ${example}`);
    return null;
  }
  const [, partition, region, account, found] = ANYWHERE_ARN.exec(arn) ?? [];
  if (region === undefined || found !== type) {
    errors.push(`${flag} ${JSON.stringify(arn.slice(0, 200))} does not look like ${example}`);
    return null;
  }
  if (role.account !== "" && (account !== role.account || partition !== role.partition))
    errors.push(`${flag} ${arn} is not in the role's account, ${role.account}`);
  return region;
}

/** The whole base credentials file of a host with a certificate; it holds no secret. */
export function certificateProfile(inputs: IamInputs): string | null {
  const { certificate } = inputs;
  if (certificate === null) return null;
  const { helper, certificate: file, privateKey } = CERTIFICATE_FILES;
  const command = [
    `${helper} credential-process`,
    `--certificate ${file}`,
    `--private-key ${privateKey}`,
    `--trust-anchor-arn ${certificate.trustAnchorArn}`,
    `--profile-arn ${certificate.profileArn}`,
    `--role-arn ${baseArn(inputs)}`,
    `--region ${certificate.region}`,
  ].join(" ");
  return `[${certificate.credentialsProfile}]\ncredential_process = ${command}\n`;
}
