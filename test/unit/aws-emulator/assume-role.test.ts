/** STS as AWS's own client sees it: what is issued, what is refused, and in which words. */
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Emulator } from "../../aws-emulator/emulator.ts";
import {
  allow,
  OPERATOR_KEY,
  ROLE_ARN,
  ROLE_NAME,
  startEmulator,
  trust,
} from "../../aws-emulator/emulator.ts";
import { assumeRole, SESSION_NAME, stsClient } from "./clients.ts";

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.reset());
afterAll(() => emulator.close());

describe("a session", () => {
  it("names the role and the serial, and lasts as long as asked", async () => {
    const { arn, expiration } = await assumeRole(stsClient(emulator), { DurationSeconds: 900 });
    expect(arn).toBe(`arn:aws:sts::123456789012:assumed-role/${ROLE_NAME}/${SESSION_NAME}`);
    const lifetimeMs = expiration.getTime() - Date.now();
    expect(lifetimeMs).toBeGreaterThan(880_000);
    expect(lifetimeMs).toBeLessThan(902_000);
  });

  it("leaves the role's path out of its ARN", async () => {
    const trustPolicy = trust("arn:aws:iam::123456789012:user/pathfinder");
    const { arn: roleArn } = emulator.roles.put({ name: "Deep", path: "/idc/hosts/", trustPolicy });
    const key = { accessKeyId: "AKIAPATHFINDER000001", secretAccessKey: "s".repeat(40) };
    emulator.users.put({ name: "pathfinder", ...key, policies: [allow("sts:*")] });
    const { arn } = await assumeRole(stsClient(emulator, { credentials: key }), { RoleArn: roleArn });
    expect(roleArn).toBe("arn:aws:iam::123456789012:role/idc/hosts/Deep");
    expect(arn).toBe(`arn:aws:sts::123456789012:assumed-role/Deep/${SESSION_NAME}`);
  });

  it("tells GetCallerIdentity who it is", async () => {
    const { arn, credentials } = await assumeRole(stsClient(emulator));
    const identity = await stsClient(emulator, { credentials }).send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({ Arn: arn, Account: "123456789012" });
    expect(identity.UserId).toMatch(/^AROA[A-Z2-7]{16}:serial-ABCDEFG$/);
  });

  it.each([
    [300, "=", "/"],
    [4000, "==", "+/"],
    [724, "", ""],
  ] as const)("has a token of %i characters that ends in '%s'", async (length, ending, contains) => {
    emulator.settings.change({ sessionToken: { length, ending, contains } });
    const { credentials } = await assumeRole(stsClient(emulator));
    expect(credentials.sessionToken).toHaveLength(length);
    expect(credentials.sessionToken.endsWith(contains + ending)).toBe(true);
    await stsClient(emulator, { credentials }).send(new GetCallerIdentityCommand({}));
  });

  it("really ends, at the moment its Expiration says", async () => {
    const fast = await startEmulator({ timeFactor: 3000 });
    const { credentials, expiration } = await assumeRole(stsClient(fast), { DurationSeconds: 900 });
    const client = stsClient(fast, { credentials });
    await client.send(new GetCallerIdentityCommand({}));
    expect(expiration.getTime() - Date.now()).toBeLessThanOrEqual(300);
    await new Promise((resolve) => setTimeout(resolve, expiration.getTime() - Date.now() + 5));
    await expect(client.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: expect.stringMatching(/^ExpiredToken/),
      message: "The security token included in the request is expired",
      $metadata: { httpStatusCode: 403 },
    });
    expect(fast.requests.list().at(-1)).toMatchObject({ credentials: "expired", errorCode: "ExpiredToken" });
    await fast.close();
  });
});

describe("a refusal", () => {
  const refusals = [
    [
      { RoleSessionName: "x" },
      "1 validation error detected: Value 'x' at 'roleSessionName' failed to satisfy constraint: Member must " +
        "have length greater than or equal to 2",
    ],
    [
      { RoleSessionName: "a b" },
      "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must " +
        "satisfy regular expression pattern: [\\w+=,.@-]*",
    ],
    [
      { DurationSeconds: 899 },
      "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must " +
        "have value greater than or equal to 900",
    ],
    [
      { DurationSeconds: 43201, RoleSessionName: "y".repeat(65) },
      `2 validation errors detected: Value '${"y".repeat(65)}' at 'roleSessionName' failed to satisfy ` +
        "constraint: Member must have length less than or equal to 64; Value '43201' at 'durationSeconds' " +
        "failed to satisfy constraint: Member must have value less than or equal to 43200",
    ],
    [
      { DurationSeconds: 3601 },
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    ],
    [{ RoleArn: "arn:aws:s3:::not-a-role-at-all" }, "Request ARN is invalid"],
  ] as const;

  it.each(refusals)("of %j is in AWS's words", async (input, message) => {
    await expect(assumeRole(stsClient(emulator), input)).rejects.toMatchObject({
      name: "ValidationError",
      message,
      $metadata: { httpStatusCode: 400 },
    });
  });

  it("of a missing role ARN says that it must not be null", async () => {
    const input = { RoleArn: undefined, RoleSessionName: SESSION_NAME };
    await expect(stsClient(emulator).send(new AssumeRoleCommand(input))).rejects.toThrow(
      "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
    );
  });

  it("of a role that is not there reads like one of a role that may not be assumed", async () => {
    const absent = "arn:aws:iam::123456789012:role/Absent";
    await expect(assumeRole(stsClient(emulator), { RoleArn: absent })).rejects.toMatchObject({
      name: "AccessDenied",
      message: `User: arn:aws:iam::123456789012:user/idc-base is not authorized to perform: sts:AssumeRole on resource: ${absent}`,
      $metadata: { httpStatusCode: 403 },
    });
    const operator = stsClient(emulator, { credentials: OPERATOR_KEY });
    await expect(assumeRole(operator)).rejects.toMatchObject({ name: "AccessDenied" });
  });

  it("meets a caller who may but is not trusted, and one who is trusted but may not", async () => {
    emulator.roles.put({ name: ROLE_NAME, trustPolicy: trust("arn:aws:iam::123456789012:user/operator") });
    await expect(assumeRole(stsClient(emulator))).rejects.toMatchObject({ name: "AccessDenied" });
    const operator = stsClient(emulator, { credentials: OPERATOR_KEY });
    await expect(assumeRole(operator)).rejects.toMatchObject({ name: "AccessDenied" });
  });

  it("meets a chained role above one hour", async () => {
    const base = "arn:aws:iam::123456789012:user/idc-base";
    emulator.roles.put({
      name: ROLE_NAME,
      trustPolicy: trust(base, ROLE_ARN),
      policies: [allow("sts:AssumeRole")],
      maxSessionDurationSeconds: 43_200,
    });
    const { credentials } = await assumeRole(stsClient(emulator), { DurationSeconds: 43_200 });
    const chained = stsClient(emulator, { credentials });
    await assumeRole(chained, { DurationSeconds: 3600 });
    await expect(assumeRole(chained, { DurationSeconds: 3601 })).rejects.toMatchObject({
      name: "ValidationError",
      message:
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    });
  });

  it.each([
    ["expired", "ExpiredToken"],
    ["invalid", "InvalidClientTokenId"],
  ] as const)("meets a base key that is %s, until it is active again", async (state, code) => {
    const { accessKeyId } = (await import("../../aws-emulator/emulator.ts")).BASE_KEY;
    emulator.keys.setState(accessKeyId, state);
    const refusal = expect.stringMatching(new RegExp(`^${code}`));
    await expect(assumeRole(stsClient(emulator))).rejects.toMatchObject({ name: refusal });
    expect(emulator.outages.stsReachable(new Date())).toBe(false);
    emulator.keys.setState(accessKeyId, "active");
    await assumeRole(stsClient(emulator));
  });
});
