/**
 * All of the documents as one CloudFormation template. It is made from the same functions as the documents, with
 * the template's parameters in place of their values: the two cannot drift apart. It makes no access key: a
 * secret has no place in a stack's outputs.
 */
import { basePolicy, baseTrustPolicy, hostRolePolicy, operatorPolicy, trustPolicy } from "./documents.ts";
import { baseArn, type IamInputs, type NamedIdentity } from "./inputs.ts";
import { POLICY_NAMES } from "./names.ts";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Template = { [key: string]: Json };

export function cloudFormationTemplate(inputs: IamInputs): Template {
  const parameterized = withParameters(inputs);
  const base = baseResource(parameterized);
  return {
    AWSTemplateFormatVersion: "2010-09-09",
    Description:
      "What hosts with idc-codedeploy-helper need of IAM: the role that they assume, the identity that may assume it, and the policy of whoever registers them. Made by idc-helper iam; deploy with --capabilities CAPABILITY_NAMED_IAM.",
    Parameters: parameters(inputs),
    Resources: {
      HostRole: {
        Type: "AWS::IAM::Role",
        // IAM refuses a trust policy that names a principal that does not exist yet.
        ...(base.isCreatedFirst ? { DependsOn: "BaseIdentity" } : {}),
        Properties: {
          ...rolePath(inputs.role),
          MaxSessionDuration: { Ref: "MaxSessionDuration" },
          AssumeRolePolicyDocument: substituted(trustPolicy(parameterized)),
          Policies: [inline(POLICY_NAMES.role, hostRolePolicy(parameterized))],
        },
      },
      BaseIdentity: base.resource,
      OperatorPolicy: managed(POLICY_NAMES.operator, operatorPolicy(parameterized)),
    },
    Outputs: {
      HostRoleArn: output("role_arn of every host's config", { "Fn::GetAtt": ["HostRole", "Arn"] }),
      BaseIdentityArn: output("What hosts call AssumeRole with", substituted(baseArn(parameterized))),
      OperatorPolicyArn: output("Attach it to whoever registers and deregisters hosts", {
        Ref: "OperatorPolicy",
      }),
    },
  };
}

function parameters({ bucket, serialPattern, maxSessionSeconds, certificate }: IamInputs): Template {
  const parameter = (Type: string, Default: Json, Description: string, rules: Template = {}): Json => {
    return { Type, Default, Description, ...rules };
  };
  return {
    RevisionBucket: parameter("String", bucket, "The one bucket that hosts may read", {
      AllowedPattern: "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    }),
    SerialPattern: parameter("String", serialPattern, "Serials that are allowed, with * and ?", {
      AllowedPattern: "[A-Za-z0-9_+=,.@*?-]{1,64}",
    }),
    MaxSessionDuration: parameter(
      "Number",
      maxSessionSeconds,
      "Seconds; session_duration may not be longer",
      {
        MinValue: 3600,
        MaxValue: 43_200,
      },
    ),
    ...(certificate === null
      ? {}
      : {
          TrustAnchorArn: parameter(
            "String",
            certificate.trustAnchorArn,
            "Whose certificates IAM Roles Anywhere takes",
          ),
        }),
  };
}

function withParameters(inputs: IamInputs): IamInputs {
  const { certificate } = inputs;
  return {
    ...inputs,
    partition: reference("AWS::Partition"),
    account: reference("AWS::AccountId"),
    serialPattern: reference("SerialPattern"),
    bucket: reference("RevisionBucket"),
    certificate: certificate && { ...certificate, trustAnchorArn: reference("TrustAnchorArn") },
  };
}

/** Marked, so that IAM's own policy variables, which look the same, can be told from ours. */
const reference = (name: string) => `\${param!${name}}`;

/** Every string that holds a reference becomes an Fn::Sub; IAM's own variables stand in strings without one. */
function substituted(value: unknown): Json {
  if (typeof value === "string") {
    return value.includes("${param!") ? { "Fn::Sub": value.replaceAll("${param!", "${") } : value;
  }
  if (Array.isArray(value)) return value.map(substituted);
  if (typeof value !== "object" || value === null) return value as Json;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, substituted(each)]));
}

function baseResource(inputs: IamInputs): { resource: Json; isCreatedFirst: boolean } {
  const { base } = inputs;
  const Policies = [inline(POLICY_NAMES.base, basePolicy(inputs))];
  const baseTrust = baseTrustPolicy(inputs);
  if (baseTrust !== null) {
    const Properties = { ...rolePath(base), AssumeRolePolicyDocument: substituted(baseTrust), Policies };
    return { resource: { Type: "AWS::IAM::Role", Properties }, isCreatedFirst: true };
  }
  if (base.kind === "user") {
    const Properties = { UserName: base.name, Path: `/${base.path}`, Policies };
    return { resource: { Type: "AWS::IAM::User", Properties }, isCreatedFirst: true };
  }
  // A role that exists: who may assume it is its owner's business, so it is only given its right.
  const resource = managed(POLICY_NAMES.base, basePolicy(inputs), { Roles: [base.name] });
  return { resource, isCreatedFirst: false };
}

function rolePath({ path, name }: NamedIdentity): Template {
  return { RoleName: name, Path: `/${path}` };
}

function inline(PolicyName: string, document: unknown): Json {
  return { PolicyName, PolicyDocument: substituted(document) };
}

function managed(ManagedPolicyName: string, document: unknown, more: Template = {}): Json {
  return {
    Type: "AWS::IAM::ManagedPolicy",
    Properties: { ManagedPolicyName, PolicyDocument: substituted(document), ...more },
  };
}

function output(Description: string, Value: Json): Json {
  return { Description, Value };
}
