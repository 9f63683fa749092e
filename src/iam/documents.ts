/**
 * Who needs which rights, as IAM policy documents: the least with which a host's whole life passes. The
 * emulator evaluates these very documents, and for each statement taken away something of that life fails
 * (test/integration/iam-policies.test.ts).
 */
import { baseArn, type IamInputs, instanceArn, roleArn } from "./inputs.ts";
import { type PolicyDocument, type PolicyStatement, policy } from "./policy-document.ts";

/** The session tag that IAM Roles Anywhere makes of the common name of the certificate's subject. */
const COMMON_NAME = "aws:PrincipalTag/x509Subject/CN";

/** What the session on a host may do: fetch revisions and, where the agent asks for it, poll by policy. */
export function hostRolePolicy({ partition, bucket, authPolicy }: IamInputs): PolicyDocument {
  const readRevisions: PolicyStatement = {
    Sid: "ReadRevisions",
    Effect: "Allow",
    Action: ["s3:GetObject", "s3:GetObjectVersion"],
    Resource: `arn:${partition}:s3:::${bucket}/*`,
  };
  if (!authPolicy) return policy(readRevisions);
  return policy(readRevisions, {
    Sid: "PollForCommands",
    Effect: "Allow",
    Action: [
      "codedeploy-commands-secure:PollHostCommand",
      "codedeploy-commands-secure:GetDeploymentSpecification",
      "codedeploy-commands-secure:PutHostCommandAcknowledgement",
      "codedeploy-commands-secure:PutHostCommandComplete",
    ],
    Resource: "*",
  });
}

/**
 * Who may assume the host role: the base identity alone, under a serial's name alone. With certificates, each
 * host under the name in its own certificate, so that a stolen one is good for no other host.
 */
export function trustPolicy(inputs: IamInputs): PolicyDocument {
  const Principal = { AWS: baseArn(inputs) };
  const namedLikeASerial = { StringLike: { "sts:RoleSessionName": inputs.serialPattern } };
  const assume = { Sid: "AssumeAsAHost", Effect: "Allow", Principal, Action: ["sts:AssumeRole"] } as const;
  const Action = [...assume.Action];
  if (inputs.certificate === null) return policy({ ...assume, Action, Condition: namedLikeASerial });
  const namedInItsCertificate = { StringEquals: { "sts:RoleSessionName": `\${${COMMON_NAME}}` } };
  return policy(
    { ...assume, Action, Condition: { ...namedLikeASerial, ...namedInItsCertificate } },
    { Sid: "InheritTheCertificatesName", Effect: "Allow", Principal, Action: INHERITING },
  );
}

/** What the base identity may do: assume that one role. */
export function basePolicy(inputs: IamInputs): PolicyDocument {
  const Resource = roleArn(inputs);
  const assume: PolicyStatement = {
    Sid: "AssumeTheHostRole",
    Effect: "Allow",
    Action: ["sts:AssumeRole"],
    Resource,
  };
  if (inputs.certificate === null) return policy(assume);
  return policy(assume, { Sid: "InheritTheCertificatesName", Effect: "Allow", Action: INHERITING, Resource });
}

/**
 * A session that IAM Roles Anywhere gave carries a source identity and tags into every role it assumes, which
 * both that session and that role must be allowed (IAM user guide, "Monitor and control actions taken with
 * assumed roles").
 */
const INHERITING = ["sts:SetSourceIdentity", "sts:TagSession"];

/** Who may become the base role: holders of a certificate of the one trust anchor, with a serial as its name. */
export function baseTrustPolicy({ certificate, serialPattern }: IamInputs): PolicyDocument | null {
  if (certificate === null) return null;
  return policy({
    Sid: "AssumeWithACertificate",
    Effect: "Allow",
    Principal: { Service: "rolesanywhere.amazonaws.com" },
    Action: ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
    Condition: {
      ArnEquals: { "aws:SourceArn": certificate.trustAnchorArn },
      StringLike: { [COMMON_NAME]: serialPattern },
    },
  });
}

/** What whoever registers and deregisters hosts may do; never stored on a host. */
export function operatorPolicy(inputs: IamInputs): PolicyDocument {
  const Resource = instanceArn(inputs);
  const allow = (Sid: string, ...operations: string[]): PolicyStatement => {
    return { Sid, Effect: "Allow", Action: operations.map((each) => `codedeploy:${each}`), Resource };
  };
  return policy(
    allow("RegisterInstances", "RegisterOnPremisesInstance"),
    allow("TagInstances", "AddTagsToOnPremisesInstances", "RemoveTagsFromOnPremisesInstances"),
    allow("ReadInstances", "GetOnPremisesInstance"),
    allow("DeregisterInstances", "DeregisterOnPremisesInstance"),
  );
}
