/** The emulator notices every fault of a signature, a clock or a scope, and says it as AWS does. */
import { ListOnPremisesInstancesCommand } from "@aws-sdk/client-codedeploy";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Emulator } from "../../aws-emulator/emulator.ts";
import { BASE_KEY, OPERATOR_KEY, startEmulator } from "../../aws-emulator/emulator.ts";
import type { ClientOptions } from "./clients.ts";
import { assumeRole, bareAssumeRole, barePoll, codedeployClient, stsClient } from "./clients.ts";

const MINUTE_MS = 60_000;
const TAMPERING = { step: "finalizeRequest", priority: "low", name: "tamper" } as const;

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

const callSts = (options: ClientOptions): Promise<unknown> =>
  stsClient(emulator, options).send(new GetCallerIdentityCommand({}));
const callCodeDeploy = (options: ClientOptions): Promise<unknown> =>
  codedeployClient(emulator, options).send(new ListOnPremisesInstancesCommand({}));

describe.each([
  ["STS", callSts, BASE_KEY, 403, { wrong: "SignatureDoesNotMatch", unknown: "InvalidClientTokenId" }],
  [
    "CodeDeploy",
    callCodeDeploy,
    OPERATOR_KEY,
    400,
    { wrong: "InvalidSignatureException", unknown: "UnrecognizedClientException" },
  ],
] as const)("%s", (_service, call, key, httpStatusCode, code) => {
  const $metadata = { httpStatusCode };

  it("refuses a wrong secret", async () => {
    const credentials = { ...key, secretAccessKey: "w".repeat(40) };
    await expect(call({ credentials })).rejects.toMatchObject({
      name: code.wrong,
      message: expect.stringContaining("The request signature we calculated does not match"),
      $metadata,
    });
  });

  it("refuses an unknown key", async () => {
    const credentials = { ...key, accessKeyId: "AKIANOBODY0000000001" };
    await expect(call({ credentials })).rejects.toMatchObject({
      name: code.unknown,
      message: "The security token included in the request is invalid.",
      $metadata,
    });
  });

  it("accepts a clock four minutes off and refuses one six minutes off", async () => {
    await call({ systemClockOffset: 4 * MINUTE_MS });
    await call({ systemClockOffset: -4 * MINUTE_MS });
    await expect(call({ systemClockOffset: -6 * MINUTE_MS })).rejects.toMatchObject({
      name: code.wrong,
      message: expect.stringMatching(/^Signature expired: \d{8}T\d{6}Z is now earlier than .* - 5 min\.\)$/),
    });
    await expect(call({ systemClockOffset: 6 * MINUTE_MS })).rejects.toMatchObject({
      name: code.wrong,
      message: expect.stringMatching(/^Signature not yet current: .* is still later than .* \+ 5 min\.\)$/),
    });
  });

  it("refuses a region that does not exist", async () => {
    await expect(call({ region: "nowhere" })).rejects.toMatchObject({
      name: code.wrong,
      message: "Credential should be scoped to a valid region, not 'nowhere'.",
    });
  });
});

it("refuses a body changed after signing", async () => {
  const client = codedeployClient(emulator);
  client.middlewareStack.add(
    (next) => (context) => {
      (context.request as { body: string }).body = "[]";
      return next(context);
    },
    TAMPERING,
  );
  await expect(client.send(new ListOnPremisesInstancesCommand({}))).rejects.toMatchObject({
    name: "InvalidSignatureException",
  });
});

it("refuses an x-amz header added after signing", async () => {
  const client = stsClient(emulator);
  client.middlewareStack.add(
    (next) => (context) => {
      (context.request as { headers: Record<string, string> }).headers["x-amz-extra"] = "1";
      return next(context);
    },
    TAMPERING,
  );
  await expect(client.send(new GetCallerIdentityCommand({}))).rejects.toThrow(
    "'x-amz-extra' must be a 'SignedHeader' in the AWS Authorization.",
  );
});

it("refuses session keys without their token, and with another's", async () => {
  const { credentials } = await assumeRole(stsClient(emulator));
  const { sessionToken: _, ...bare } = credentials;
  await expect(callSts({ credentials: bare })).rejects.toMatchObject({ name: "InvalidClientTokenId" });
  const other = { ...credentials, sessionToken: `${credentials.sessionToken}=` };
  await expect(callSts({ credentials: other })).rejects.toMatchObject({ name: "InvalidClientTokenId" });
});

it("refuses a request without a signature, with Date and request id in the answer", async () => {
  const sts = await bareAssumeRole(emulator.url);
  expect(sts.status).toBe(403);
  expect(await sts.text()).toContain("<Code>MissingAuthenticationToken</Code>");
  expect(Math.abs(Date.parse(sts.headers.get("date") ?? "") - Date.now())).toBeLessThan(5000);
  expect(sts.headers.get("x-amzn-requestid")).toMatch(/^[0-9a-f-]{36}$/);
  const poll = await barePoll(emulator.url);
  expect(poll.status).toBe(400);
  expect(await poll.json()).toMatchObject({ __type: "MissingAuthenticationTokenException" });
});

it("refuses an incomplete Authorization header", async () => {
  const headers = { authorization: "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/sts/aws4_request" };
  const body = await (await bareAssumeRole(emulator.url, { headers })).text();
  expect(body).toContain("<Code>IncompleteSignature</Code>");
  expect(body).toContain("Authorization header requires 'Signature' parameter.");
  expect(body).toContain("X-Amz-Date");
});
