/**
 * What the documents are made of. Every ARN in them is put together here from its parts, so that the
 * CloudFormation template can put its own parameters in their place.
 */

export interface IamInputs {
  /** `aws`, `aws-cn` or `aws-us-gov`: the role's own. */
  partition: string;
  account: string;
  region: string;
  /** The role that hosts assume. */
  role: NamedIdentity;
  /** What hosts call AssumeRole with. */
  base: NamedIdentity & { kind: "user" | "role" };
  /** Serials that are allowed, with `*` and `?`. */
  serialPattern: string;
  /** The one bucket that holds revisions. */
  bucket: string;
  /** Whether the agent is set to `:enable_auth_policy:`. */
  authPolicy: boolean;
  /** The role's MaxSessionDuration. */
  maxSessionSeconds: number;
  /** Set where each host has a certificate instead of a shared key (IAM Roles Anywhere). */
  certificate: CertificateInputs | null;
}

export interface NamedIdentity {
  /** As in the ARN: empty, or ending in a slash; IAM's own Path has one more in front. */
  path: string;
  name: string;
}

export interface CertificateInputs {
  trustAnchorArn: string;
  profileArn: string;
  /** The trust anchor's region, which need not be the host's. */
  region: string;
  /** The profile of the base credentials file, from the config. */
  credentialsProfile: string;
}

export function roleArn({ partition, account, role }: IamInputs): string {
  return `arn:${partition}:iam::${account}:role/${role.path}${role.name}`;
}

export function baseArn({ partition, account, base }: IamInputs): string {
  return `arn:${partition}:iam::${account}:${base.kind}/${base.path}${base.name}`;
}

/**
 * The resource of CodeDeploy's actions on on-premises instances: with a colon before the name, exactly (Service
 * Authorization Reference, "Resource types defined by AWS CodeDeploy").
 */
export function instanceArn({ partition, account, region, serialPattern }: IamInputs): string {
  return `arn:${partition}:codedeploy:${region}:${account}:instance:${serialPattern}`;
}
