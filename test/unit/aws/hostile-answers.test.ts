/** What stands in for AWS answers nonsense: it is told as that, with the host, and nothing hangs. */
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadBaseCredentials } from "../../../src/aws/base-credentials.ts";
import { CodeDeploy } from "../../../src/aws/codedeploy.ts";
import { openNetwork } from "../../../src/aws/network.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { sampleConfig } from "./sample-config.ts";
import { useServers } from "./servers.ts";

const servers = useServers();
const scratch = useScratchDirectory();

async function answering(status: number, body: unknown) {
  const { port, requests } = await servers.answering((_, response) => {
    response.writeHead(status, { "Content-Type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
  });
  const config = sampleConfig();
  const codedeploy = new CodeDeploy({
    region: config.region,
    identity: { accessKeyId: "AKIAX", secretAccessKey: "x" },
    caller: { identity: "operator", source: "a test" },
    network: await openNetwork(config, 1, {}),
    endpoint: `http://127.0.0.1:${port}`,
  });
  return { codedeploy, port, requests };
}

test.each([{ a: 1 }, ["x"], 5, null])(
  "an error whose message is %j is a bad answer, not a crash",
  async (message) => {
    const { codedeploy, port } = await answering(400, { __type: "Odd", message });
    await expect(codedeploy.get("SN-1")).rejects.toMatchObject({
      kind: "bad_answer",
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  },
);

test.each([
  { tags: [null] },
  { tags: "x" },
  { tags: [{ Key: {}, Value: 1 }] },
  { instanceName: { a: 1 } },
  { iamSessionArn: ["x"] },
  { registerTime: 1e300 },
])("an instance with %j is a bad answer, not a crash", async (part) => {
  const { codedeploy, port } = await answering(200, { instanceInfo: { instanceName: "SN-1", ...part } });
  await expect(codedeploy.get("SN-1")).rejects.toMatchObject({
    kind: "bad_answer",
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
});

test("a list whose page leads to itself is not followed", async () => {
  const { codedeploy, requests } = await answering(200, { instanceNames: [], nextToken: "again" });
  await expect(codedeploy.findByArn("arn")).rejects.toMatchObject({
    kind: "bad_answer",
    message: "the pages of ListOnPremisesInstances have no end: one leads back to another",
  });
  expect(requests).toHaveLength(2);
});

test("a list without an end is not followed for ever", { timeout: 900_000 }, async () => {
  // Another token each time that the answer is written.
  const nextToken = { toJSON: () => `page ${performance.now()}` };
  const { codedeploy, requests } = await answering(200, { instanceNames: [], nextToken });
  await expect(codedeploy.findByArn("arn")).rejects.toMatchObject({
    kind: "bad_answer",
    message: "the pages of ListOnPremisesInstances have no end: 1000 came",
  });
  expect(requests).toHaveLength(1_000);
});

describe("base credentials that no request can carry are told as the key's fault", () => {
  test.each([
    ["aws_access_key_id", "AKIÄX", "x"],
    ["aws_access_key_id", "AKIA X", "x"],
    ["aws_secret_access_key", "AKIAX", "xéy"],
    ["aws_secret_access_key", "AKIAX", "x".repeat(9_000)],
  ])("%s of %j, %.20j", async (part, id, secret) => {
    writeFileSync(
      scratch("base"),
      `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`,
    );
    const config = sampleConfig({
      baseCredentials: { file: scratch("base"), isDefault: false, profile: "default" },
    });
    await expect(loadBaseCredentials(config)).rejects.toMatchObject({
      kind: "base_credentials_invalid",
      message: expect.stringContaining(`profile "default" of ${scratch("base")}: its ${part} holds`),
    });
  });
});
