/** The IAM documents as values: what is in them for which inputs, and that the template says the same. */
import { describe, expect, it } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { cloudFormationTemplate, type Json, type Template } from "../../src/iam/cloudformation.ts";
import { iamOutput } from "../../src/iam/output.ts";
import { type IamFlags, readIamInputs } from "../../src/iam/read-inputs.ts";
import { sampleConfig } from "./aws/sample-config.ts";

const FLAGS: IamFlags = {
  roleArn: "arn:aws:iam::123456789012:role/idc/Hosts",
  region: "ap-northeast-2",
  bucket: "my-revisions",
  serialPattern: "web-*",
};
const ANCHOR =
  "arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/11111111-2222-3333-4444-555555555555";
const CERTIFICATE: IamFlags = {
  ...FLAGS,
  certificate: true,
  trustAnchorArn: ANCHOR,
  profileArn: ANCHOR.replace("trust-anchor", "profile"),
};

const outputOf = (flags: IamFlags, config: Config | null = null) =>
  iamOutput(readIamInputs(flags, config).inputs);

describe("the documents", () => {
  it("name the role with its path, the base user, the bucket and the serials, and nothing else", () => {
    expect(outputOf(FLAGS)).toEqual({
      profile: null,
      documents: {
        base: {
          Version: "2012-10-17",
          Statement: [
            {
              Sid: "AssumeTheHostRole",
              Effect: "Allow",
              Action: ["sts:AssumeRole"],
              Resource: "arn:aws:iam::123456789012:role/idc/Hosts",
            },
          ],
        },
        trust: {
          Version: "2012-10-17",
          Statement: [
            {
              Sid: "AssumeAsAHost",
              Effect: "Allow",
              Principal: { AWS: "arn:aws:iam::123456789012:user/idc-codedeploy-base" },
              Action: ["sts:AssumeRole"],
              Condition: { StringLike: { "sts:RoleSessionName": "web-*" } },
            },
          ],
        },
        role: {
          Version: "2012-10-17",
          Statement: [
            {
              Sid: "ReadRevisions",
              Effect: "Allow",
              Action: ["s3:GetObject", "s3:GetObjectVersion"],
              Resource: "arn:aws:s3:::my-revisions/*",
            },
          ],
        },
        operator: expect.objectContaining({ Version: "2012-10-17" }),
      },
    });
  });

  it("let the operator do five things, to instances named like a serial, in one region and account", () => {
    const statements = outputOf(FLAGS).documents.operator?.Statement ?? [];
    expect(statements.flatMap(({ Action }) => Action).sort()).toEqual([
      "codedeploy:AddTagsToOnPremisesInstances",
      "codedeploy:DeregisterOnPremisesInstance",
      "codedeploy:GetOnPremisesInstance",
      "codedeploy:RegisterOnPremisesInstance",
      "codedeploy:RemoveTagsFromOnPremisesInstances",
    ]);
    for (const { Resource } of statements)
      expect(Resource).toBe("arn:aws:codedeploy:ap-northeast-2:123456789012:instance:web-*");
  });

  it.each([
    ["cn-north-1", "aws-cn"],
    ["us-gov-west-1", "aws-us-gov"],
  ])("are in the partition of the role, in %s", (region, partition) => {
    const roleArn = `arn:${partition}:iam::123456789012:role/Hosts`;
    const text = JSON.stringify(outputOf({ ...FLAGS, roleArn, region }));
    expect(text).toContain(`arn:${partition}:s3:::my-revisions/*`);
    expect(text).toContain(`arn:${partition}:codedeploy:${region}:`);
    expect(text).not.toContain("arn:aws:");
  });

  it("have a Sid that IAM takes, each its own within its document", () => {
    for (const document of Object.values(outputOf({ ...CERTIFICATE, authPolicy: true }).documents)) {
      const sids = document.Statement.map(({ Sid }) => Sid);
      expect(new Set(sids).size).toBe(sids.length);
      for (const sid of sids) expect(sid).toMatch(/^[A-Za-z0-9]+$/);
    }
  });

  it("with certificates bind each host to the name in its own, and its profile holds no secret", () => {
    const { documents, profile } = outputOf(CERTIFICATE);
    expect(documents.trust?.Statement[0]?.Condition).toEqual({
      StringLike: { "sts:RoleSessionName": "web-*" },
      StringEquals: { "sts:RoleSessionName": "${" + "aws:PrincipalTag/x509Subject/CN}" },
    });
    expect(documents["base-trust"]?.Statement[0]?.Condition).toEqual({
      ArnEquals: { "aws:SourceArn": ANCHOR },
      StringLike: { "aws:PrincipalTag/x509Subject/CN": "web-*" },
    });
    expect(profile).toBe(
      "[default]\ncredential_process = /usr/local/bin/aws_signing_helper credential-process " +
        "--certificate /etc/idc-codedeploy-helper/certificate.pem " +
        "--private-key /etc/idc-codedeploy-helper/private-key.pem " +
        `--trust-anchor-arn ${ANCHOR} --profile-arn ${ANCHOR.replace("trust-anchor", "profile")} ` +
        "--role-arn arn:aws:iam::123456789012:role/idc-codedeploy-base --region us-east-1\n",
    );
  });
});

describe("what is not given", () => {
  it("comes from the config: role, region, its own serial; and a note says that a fleet needs a pattern", () => {
    const config = sampleConfig({ serial: "serial-1", sessionDurationMs: 2 * 3_600_000 });
    const { inputs, notes } = readIamInputs({ bucket: "my-revisions" }, config);
    expect(inputs).toMatchObject({
      region: config.region,
      serialPattern: "serial-1",
      maxSessionSeconds: 7200,
    });
    expect(notes).toEqual([expect.stringContaining("only the serial serial-1 is allowed")]);
  });

  it("is any serial where there is no config, and a note says so", () => {
    const { serialPattern: _, ...flags } = FLAGS;
    const { inputs, notes } = readIamInputs(flags, null);
    expect(inputs.serialPattern).toBe("*");
    expect(notes).toEqual([expect.stringContaining("every serial is allowed")]);
  });

  it("is the usual role of --account", () => {
    const { roleArn: _, ...flags } = FLAGS;
    expect(JSON.stringify(outputOf({ ...flags, account: "210987654321" }).documents.base)).toContain(
      "arn:aws:iam::210987654321:role/CodeDeployIDC-Instance-Profile",
    );
  });

  it("a session longer than an hour is warned of where the base identity is a role", () => {
    const config = sampleConfig({ sessionDurationMs: 2 * 3_600_000 });
    const { inputs, notes } = readIamInputs(CERTIFICATE, config);
    expect(inputs.maxSessionSeconds).toBe(3600);
    expect(notes).toEqual([expect.stringContaining("set it to 1h")]);
  });
});

describe("a wrong flag is named with what is allowed:", () => {
  it.each<[IamFlags, string]>([
    [{ bucket: "s3://revisions" }, '--bucket "s3://revisions" is no bucket name'],
    [{ bucket: "revisions/*" }, "neither s3:// nor a path"],
    [{ bucket: "a..b" }, "is no bucket name"],
    [{ bucket: "192.168.1.1" }, "is no bucket name"],
    [{ region: "Seoul" }, '--region "Seoul" is no AWS region'],
    [{ roleArn: "Hosts" }, '--role-arn "Hosts" is no role'],
    [
      { roleArn: "arn:aws:iam::123456789012:user/x" },
      "is no role: it looks like arn:aws:iam::123456789012:role/",
    ],
    [{ region: "cn-north-1" }, "--region cn-north-1 belongs to arn:aws-cn:…, --role-arn to arn:aws:…"],
    [{ account: "1234" }, '--account "1234" is no account: twelve digits'],
    [{ account: "210987654321" }, "--account 210987654321 is not the account of --role-arn"],
    [{ baseArn: "idc-base" }, '--base-arn "idc-base" is neither a user nor a role'],
    [{ baseArn: "arn:aws:iam::210987654321:user/b" }, "is not in the role's account, 123456789012"],
    [{ baseArn: "arn:aws:sts::123456789012:assumed-role/R/s" }, "is neither a user nor a role"],
    [{ serialPattern: "web 1" }, '--serial-pattern "web 1" may have 1 to 64 of'],
    [{ trustAnchorArn: ANCHOR }, "--trust-anchor-arn needs --certificate"],
    [{ ...CERTIFICATE, baseArn: "arn:aws:iam::123456789012:user/b" }, "must be a role with --certificate"],
    [{ ...CERTIFICATE, profileArn: ANCHOR }, "--profile-arn "],
    [
      { ...CERTIFICATE, profileArn: CERTIFICATE.profileArn?.replace("us-east-1", "us-west-2") ?? "" },
      "in us-west-2",
    ],
  ])("%j", (change, said) => {
    expect(() => readIamInputs({ ...FLAGS, ...change }, null)).toThrow(
      expect.objectContaining({ kind: "usage", message: expect.stringContaining(said) }),
    );
  });

  it("all of them at once", () => {
    expect(() => readIamInputs({ certificate: true }, null)).toThrow(
      /^5 errors:\n--region is missing.*\n--role-arn is missing.*\n--trust-anchor-arn is missing.*\n--profile-arn is missing.*\n--bucket is missing.*$/,
    );
  });
});

describe("the CloudFormation template", () => {
  const variants: [string, IamFlags][] = [
    ["a base user", FLAGS],
    ["a base role that exists", { ...FLAGS, baseArn: "arn:aws:iam::123456789012:role/ci/runner" }],
    ["certificates", { ...CERTIFICATE, authPolicy: true }],
  ];

  const elsewhere = (text: string) => text.replaceAll("123456789012", "210987654321");
  /** What is asked for when the stack is made, in place of the defaults. */
  const answers = {
    "AWS::AccountId": elsewhere("123456789012"),
    RevisionBucket: "other",
    SerialPattern: "db-?",
    TrustAnchorArn: elsewhere(ANCHOR),
  };

  it.each(variants)(
    "with %s comes to the very documents, with its defaults and with others",
    (_name, flags) => {
      const template = cloudFormationTemplate(readIamInputs(flags, null).inputs);
      expectSame(settled(template), outputOf(flags).documents);
      const moved = JSON.parse(elsewhere(JSON.stringify(flags)));
      const others = outputOf({ ...moved, bucket: "other", serialPattern: "db-?" });
      expectSame(settled(template, answers), others.documents);
    },
  );

  function expectSame(made: Json, documents: ReturnType<typeof outputOf>["documents"]): void {
    const resources = made as unknown as Record<string, { Properties: Properties }>;
    expect(resources.HostRole?.Properties).toMatchObject({
      RoleName: "Hosts",
      Path: "/idc/",
      MaxSessionDuration: 3600,
      AssumeRolePolicyDocument: documents.trust,
      Policies: [{ PolicyDocument: documents.role }],
    });
    expect(resources.OperatorPolicy?.Properties.PolicyDocument).toEqual(documents.operator);
    const base = resources.BaseIdentity?.Properties;
    expect(base?.PolicyDocument ?? base?.Policies?.[0]?.PolicyDocument).toEqual(documents.base);
    expect(base?.AssumeRolePolicyDocument).toEqual(documents["base-trust"]);
  }

  it("refers only to what it declares, and creates no access key", () => {
    const template = cloudFormationTemplate(readIamInputs(CERTIFICATE, null).inputs);
    const text = JSON.stringify(template);
    const declared = [...Object.keys(template.Parameters ?? {}), ...Object.keys(template.Resources ?? {})];
    const subs = [...text.matchAll(/"Fn::Sub":"([^"]*)"/g)]
      .flatMap(([sub]) => [...sub.matchAll(/\$\{([^!][^}]*)\}/g)])
      .map(([, name]) => name ?? "");
    const refs = [...text.matchAll(/"Ref":"([^"]+)"/g)].map(([, name]) => name ?? "");
    for (const name of [...subs, ...refs])
      expect(["AWS::Partition", "AWS::AccountId", ...declared]).toContain(name);
    expect(subs).toContain("RevisionBucket");
    expect(text).not.toContain("AccessKey");
    expect(String(template.Description).length).toBeLessThanOrEqual(1024);
  });

  it("makes the base identity before the role that trusts it", () => {
    const template = cloudFormationTemplate(readIamInputs(FLAGS, null).inputs);
    expect(template.Resources).toMatchObject({ HostRole: { DependsOn: "BaseIdentity" } });
  });
});

interface Properties {
  PolicyDocument?: Json;
  AssumeRolePolicyDocument?: Json;
  Policies?: { PolicyDocument: Json }[];
}

/** The resources as CloudFormation makes them, in account 123456789012 and with the defaults unless told otherwise. */
function settled(template: Template, answers: Record<string, string> = {}): Json {
  const parameters = template.Parameters as Record<string, { Default: Json }>;
  const given: Record<string, string> = {
    "AWS::Partition": "aws",
    "AWS::AccountId": "123456789012",
    ...answers,
  };
  const settledValue = (name: string): Json => given[name] ?? parameters[name]?.Default ?? null;
  const settle = (node: Json): Json => {
    if (Array.isArray(node)) return node.map(settle);
    if (typeof node !== "object" || node === null) return node;
    if (typeof node.Ref === "string") return settledValue(node.Ref);
    const sub = node["Fn::Sub"];
    if (typeof sub === "string")
      return sub.replace(/\$\{(!?)([^}]+)\}/g, (_, literal, name) =>
        literal === "!" ? `\${${name}}` : String(settledValue(name)),
      );
    return Object.fromEntries(Object.entries(node).map(([key, each]) => [key, settle(each)]));
  };
  return settle(template.Resources ?? null);
}
