/** Policy documents: what they grant and refuse, and that no typo in one does either in silence. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Emulator } from "../../aws-emulator/emulator.ts";
import { allow, BASE_KEY, ROLE_ARN, ROLE_NAME, startEmulator, trust } from "../../aws-emulator/emulator.ts";
import { requestContext } from "../../aws-emulator/identity/authorization.ts";
import {
  type PermissionPolicyInput,
  permissionPolicySchema,
  type TrustPolicyInput,
  trustPolicySchema,
} from "../../aws-emulator/identity/policy/document.ts";
import { decide, decideTrust } from "../../aws-emulator/identity/policy/evaluate.ts";
import { assumeRole, stsClient } from "./clients.ts";

const BUCKET = "arn:aws:s3:::revisions";
const OBJECT = `${BUCKET}/app/1.zip`;
const BASE_ARN = "arn:aws:iam::123456789012:user/idc-base";

function decision(
  policies: PermissionPolicyInput[],
  action: string,
  resource: string,
  keys: Record<string, string> = {},
) {
  const parsed = policies.map((policy) => permissionPolicySchema.parse(policy));
  return decide(parsed, { action, resource, context: requestContext(keys) });
}

function statement(rest: object): PermissionPolicyInput {
  const base = { Effect: "Allow" as const, Action: "s3:GetObject", Resource: "*" };
  return { Version: "2012-10-17", Statement: { ...base, ...rest } };
}

describe("a permission policy", () => {
  it("allows what it names, and mentions nothing else", () => {
    const policies = [allow("s3:GetObject", `${BUCKET}/*`)];
    expect(decision(policies, "s3:GetObject", OBJECT)).toBe("allowed");
    expect(decision(policies, "s3:PutObject", OBJECT)).toBe("not mentioned");
    expect(decision(policies, "s3:GetObject", "arn:aws:s3:::other/app/1.zip")).toBe("not mentioned");
    expect(decision(policies, "s3:GetObject", BUCKET)).toBe("not mentioned");
    expect(decision([], "s3:GetObject", OBJECT)).toBe("not mentioned");
  });

  it("that denies beats every one that allows, wherever it stands", () => {
    const deny = statement({ Effect: "Deny", Resource: `${BUCKET}/app/*` });
    expect(decision([allow("s3:*"), deny], "s3:GetObject", OBJECT)).toBe("denied");
    expect(decision([deny, allow("*")], "s3:GetObject", OBJECT)).toBe("denied");
    expect(decision([deny, allow("*")], "s3:GetObject", `${BUCKET}/other`)).toBe("allowed");
  });

  it.each([
    ["s3:Get*", "s3:GetObjectVersion", true],
    ["s3:getobject", "s3:GetObject", true],
    ["s3:GetObject", "s3:GetObjectVersion", false],
    ["s3:?etObject", "s3:GetObject", true],
    ["s3:?GetObject", "s3:GetObject", false],
    ["codedeploy:*", "codedeploy-commands-secure:PollHostCommand", false],
  ])("with the action %s, asked for %s: %s", (pattern, action, allowed) => {
    expect(decision([allow(pattern)], action, OBJECT)).toBe(allowed ? "allowed" : "not mentioned");
  });

  it.each([
    [`${BUCKET}/app/?.zip`, true],
    [`${BUCKET}/app/?zip`, false],
    [`${BUCKET}/*.zip`, true],
    ["arn:aws:s3:::rev[i]sions/*", false],
    [`${BUCKET}/`, false],
    [`${BUCKET}/app/\${*}.zip`, false],
  ])("with the resource %s: %s", (pattern, allowed) => {
    const policies = [allow("s3:GetObject", pattern)];
    expect(decision(policies, "s3:GetObject", OBJECT)).toBe(allowed ? "allowed" : "not mentioned");
  });

  it("takes a variable's value literally, and matches nothing without one", () => {
    const policies = [allow("s3:GetObject", `${BUCKET}/\${aws:PrincipalTag/team}/1.zip`)];
    const asked = (keys: Record<string, string>) => decision(policies, "s3:GetObject", OBJECT, keys);
    expect(asked({ "aws:PrincipalTag/team": "app" })).toBe("allowed");
    expect(asked({ "aws:PrincipalTag/team": "*" })).toBe("not mentioned");
    expect(asked({})).toBe("not mentioned");
    const without = allow("s3:GetObject", `${BUCKET}/app\${aws:PrincipalTag/team}/1.zip`);
    expect(decision([without], "s3:GetObject", OBJECT)).toBe("not mentioned");
  });
});

describe("a condition", () => {
  const anchor = "arn:aws:rolesanywhere:ap-northeast-2:123456789012:trust-anchor/1";

  it.each([
    ["StringEquals", "sts:RoleSessionName", ["web-1", "web-2"], "web-2", true],
    ["StringEquals", "sts:RoleSessionName", "web-*", "web-2", false],
    ["StringEquals", "sts:RoleSessionName", "web-1", undefined, false],
    ["StringLike", "sts:RoleSessionName", "web-?", "web-2", true],
    ["StringLike", "sts:RoleSessionName", "web-?", "web-22", false],
    ["StringLike", "STS:rolesessionname", "web-*", "web-2", true],
    ["StringNotLike", "sts:RoleSessionName", "web-*", "db-1", true],
    ["StringNotLike", "sts:RoleSessionName", ["web-*", "db-*"], "db-1", false],
    ["StringNotEquals", "sts:RoleSessionName", "web-1", undefined, true],
    ["ArnEquals", "aws:SourceArn", anchor, anchor, true],
    ["ArnLike", "aws:SourceArn", anchor.replace("/1", "/*"), anchor, true],
    ["ArnLike", "aws:SourceArn", "arn:aws:*:trust-anchor/1", anchor, false],
    ["Null", "sts:SourceIdentity", "true", undefined, true],
    ["Null", "sts:SourceIdentity", "false", undefined, false],
    ["Null", "sts:SourceIdentity", "true", "web-1", false],
  ])("%s on %s of %j, with %s: %s", (operator, key, wanted, found, allowed) => {
    const policies = [statement({ Condition: { [operator]: { [key]: wanted } } })];
    const keys = found === undefined ? {} : { [key.toUpperCase()]: found };
    expect(decision(policies, "s3:GetObject", OBJECT, keys)).toBe(allowed ? "allowed" : "not mentioned");
  });

  it("holds only with every other one of its statement", () => {
    const policies = [
      statement({
        Condition: {
          StringLike: { "sts:RoleSessionName": "web-*" },
          StringEquals: { "sts:SourceIdentity": "a", "aws:RequestedRegion": "b" },
        },
      }),
    ];
    const keys = { "sts:RoleSessionName": "web-1", "sts:SourceIdentity": "a", "aws:RequestedRegion": "b" };
    expect(decision(policies, "s3:GetObject", OBJECT, keys)).toBe("allowed");
    for (const key of Object.keys(keys)) {
      const changed = { ...keys, [key]: "other" };
      expect(decision(policies, "s3:GetObject", OBJECT, changed)).toBe("not mentioned");
    }
  });
});

describe("a trust policy", () => {
  const session = "arn:aws:sts::123456789012:assumed-role/R/s";
  const trusts = (principal: object, arns: string[], service: string | null = null) => {
    const Statement = { Effect: "Allow" as const, Principal: principal, Action: "sts:AssumeRole" };
    const policy = trustPolicySchema.parse({ Version: "2012-10-17", Statement });
    const request = { action: "sts:AssumeRole", context: requestContext({}) };
    return decideTrust(policy, { arns, service }, request) === "allowed";
  };

  it("trusts the user, the session, the role's sessions, the account or the service that it names", () => {
    const arns = [session, "arn:aws:iam::123456789012:role/R", "arn:aws:iam::123456789012:root"];
    for (const AWS of [...arns, "*"]) expect(trusts({ AWS }, arns)).toBe(true);
    expect(trusts({ AWS: [BASE_ARN, session] }, arns)).toBe(true);
    expect(trusts({ AWS: BASE_ARN }, arns)).toBe(false);
    expect(trusts({ Service: "rolesanywhere.amazonaws.com" }, arns)).toBe(false);
    expect(trusts({ Service: "rolesanywhere.amazonaws.com" }, [], "rolesanywhere.amazonaws.com")).toBe(true);
    expect(trusts({ AWS: "*" }, [], "rolesanywhere.amazonaws.com")).toBe(false);
  });
});

describe("a document that could not be evaluated is refused when it is put in:", () => {
  it.each([
    ["an operator with a typo", { Condition: { StringLik: { "sts:RoleSessionName": "x" } } }],
    ["an operator that is not known", { Condition: { IpAddress: { "sts:RoleSessionName": "x" } } }],
    ["a key with a typo", { Condition: { StringLike: { "sts:RoleSesionName": "x" } } }],
    ["an element that is not known", { NotAction: "s3:PutObject" }],
    ["an effect with a typo", { Effect: "allow" }],
    ["an action without a service", { Action: "GetObject" }],
    ["no action", { Action: [] }],
    ["a principal in a permission policy", { Principal: { AWS: "*" } }],
    ["a Sid that IAM refuses", { Sid: "read revisions" }],
  ])("%s", (_what, change) => {
    expect(() => permissionPolicySchema.parse(statement(change))).toThrow();
  });

  it.each([
    ["another version", { Version: "2008-10-17" as "2012-10-17" }],
    ["a wildcard in a principal", trust("arn:aws:iam::123456789012:user/*")],
    ["a principal that is no ARN", trust("idc-base")],
    ["nobody", trust()],
  ])("in a trust policy, %s", (_what, change) => {
    const policy: TrustPolicyInput = { ...trust(BASE_ARN), ...change };
    expect(() => trustPolicySchema.parse(policy)).toThrow();
  });
});

describe("in the account", () => {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator();
  });
  afterEach(() => emulator.reset());
  afterAll(() => emulator.close());

  it("a denial in the trust policy beats the caller's own right", async () => {
    const Statement = [
      { Effect: "Allow" as const, Principal: { AWS: BASE_ARN }, Action: "sts:AssumeRole" },
      {
        Effect: "Deny" as const,
        Principal: { AWS: "123456789012" },
        Action: "sts:*",
        Condition: { StringLike: { "sts:RoleSessionName": "bad-*" } },
      },
    ];
    emulator.roles.put({ name: ROLE_NAME, trustPolicy: { Version: "2012-10-17", Statement } });
    await assumeRole(stsClient(emulator), { RoleSessionName: "good-1" });
    await expect(assumeRole(stsClient(emulator), { RoleSessionName: "bad-1" })).rejects.toMatchObject({
      name: "AccessDenied",
      message: `User: ${BASE_ARN} is not authorized to perform: sts:AssumeRole on resource: ${ROLE_ARN}`,
    });
  });

  it("a source identity needs its own right, from both, and goes on into the next session", async () => {
    const SourceIdentity = "anna";
    await expect(assumeRole(stsClient(emulator), { SourceIdentity })).rejects.toThrow(
      "sts:SetSourceIdentity",
    );
    const policies = [allow(["sts:AssumeRole", "sts:SetSourceIdentity"])];
    emulator.users.put({ name: "idc-base", ...BASE_KEY, policies });
    const trustPolicy = trust(BASE_ARN, ROLE_ARN);
    emulator.roles.put({ name: ROLE_NAME, trustPolicy, policies: [allow("sts:AssumeRole")] });
    const { credentials } = await assumeRole(stsClient(emulator), { SourceIdentity });
    const chained = () => assumeRole(stsClient(emulator, { credentials }), {});
    await expect(chained()).rejects.toThrow("sts:SetSourceIdentity");
    emulator.roles.put({ name: ROLE_NAME, trustPolicy, policies });
    await chained();
    expect(emulator.sessions.list().map(({ sourceIdentity }) => sourceIdentity)).toEqual(["anna", "anna"]);
  });

  it("documents can be put in over HTTP, and bad ones are refused", async () => {
    const put = (body: object) =>
      fetch(`${emulator.url}/_emulator/roles`, { method: "PUT", body: JSON.stringify(body) });
    const role = { name: ROLE_NAME, trustPolicy: trust(BASE_ARN), policies: [allow("s3:GetObject")] };
    expect((await put(role)).status).toBe(200);
    expect(emulator.roles.list()[0]?.policies).toHaveLength(1);
    const typo = await put({ ...role, policies: [statement({ Condition: { Like: {} } })] });
    expect(typo.status).toBe(400);
    expect(await typo.text()).toContain("unknown condition operator: Like");
  });
});
