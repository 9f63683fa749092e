/** Requests that no AWS client sends: a home-made one must not work here and fail against AWS. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Emulator } from "../../aws-emulator/emulator.ts";
import { BASE_KEY, OPERATOR_KEY, ROLE_ARN, startEmulator } from "../../aws-emulator/emulator.ts";
import { type RequestToSign, sendSigned } from "./signed-request.ts";

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

const FORM = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
const JSON_1_1 = {
  "content-type": "application/x-amz-json-1.1",
  "x-amz-target": "CodeDeploy_20141006.ListOnPremisesInstances",
};
const query = (fields: string): string => `Action=AssumeRole&Version=2011-06-15&${fields}`;
const ROLE = `RoleArn=${encodeURIComponent(ROLE_ARN)}&RoleSessionName=serial`;

async function sts(request: Partial<RequestToSign>): Promise<string> {
  const whole = { credentials: BASE_KEY, service: "sts", headers: FORM, body: query(ROLE), ...request };
  return (await sendSigned(emulator.url, whole)).text();
}
async function codedeploy(request: Partial<RequestToSign>): Promise<string> {
  const whole = {
    credentials: OPERATOR_KEY,
    service: "codedeploy",
    headers: JSON_1_1,
    body: "{}",
    ...request,
  };
  return (await sendSigned(emulator.url, whole)).text();
}

it("well-formed, they work", async () => {
  expect(await sts({})).toContain("<AssumeRoleResult>");
  expect(JSON.parse(await codedeploy({}))).toEqual({ instanceNames: [] });
});

describe("STS refuses", () => {
  it.each([
    ["an unknown action", { body: "Action=AssumeRoll&Version=2011-06-15" }, "InvalidAction"],
    ["another version", { body: `Action=AssumeRole&Version=2010-05-08&${ROLE}` }, "InvalidAction"],
    ["another path", { path: "/sts" }, "InvalidAction"],
    ["another content type", { headers: { "content-type": "text/plain" } }, "InvalidQueryParameter"],
    ["a parameter given twice", { body: query(`${ROLE}&${ROLE}`) }, "InvalidQueryParameter"],
    ["a parameter it does not know", { body: query(`${ROLE}&Duration=900`) }, "ValidationError"],
    ["a duration that is no integer", { body: query(`${ROLE}&DurationSeconds=1h`) }, "MalformedInput"],
  ])("%s", async (_what, request, code) => {
    expect(await sts(request)).toContain(`<Code>${code}</Code>`);
  });
});

describe("CodeDeploy refuses", () => {
  it.each([
    [
      "another content type",
      { headers: { ...JSON_1_1, "content-type": "application/json" } },
      "UnknownOperation",
    ],
    ["a body that is no JSON", { body: "{" }, "Serialization"],
    ["a body that is no object", { body: "[]" }, "Serialization"],
    ["a member it does not know", { body: '{"nextPage":"x"}' }, "Validation"],
    ["a member of another type", { body: '{"nextToken":7}' }, "Serialization"],
  ])("%s", async (_what, request, code) => {
    expect(JSON.parse(await codedeploy(request))).toMatchObject({ __type: `${code}Exception` });
  });
});

describe("a signature is refused", () => {
  it.each([
    ["for another service", { service: "iam" }, "Credential should be scoped to correct service: 'sts'."],
    [
      "for another day",
      { forge: (header: string) => header.replace(/\/\d{8}\//, "/20200101/") },
      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20200101' != ",
    ],
    [
      "with another terminator",
      { forge: (header: string) => header.replace("aws4_request", "aws5_request") },
      "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'.",
    ],
    [
      "with unsorted headers",
      { forge: (header: string) => header.replace("content-type;host", "host;content-type") },
      "SignedHeaders must be sorted",
    ],
    [
      "without the host",
      { forge: (header: string) => header.replace("host;", "") },
      "'host' must be a 'SignedHeader' in the AWS Authorization.",
    ],
    [
      "by another algorithm",
      { forge: (header: string) => header.replace("SHA256", "SHA1") },
      "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'.",
    ],
  ])("%s", async (_what, request, message) => {
    expect(await sts(request)).toContain(message);
  });
});
