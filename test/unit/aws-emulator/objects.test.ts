/** The little of S3 that the agent needs: an object by key, or by key and version, with a right to it. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Emulator } from "../../aws-emulator/emulator.ts";
import { allow, startEmulator } from "../../aws-emulator/emulator.ts";
import { sendSigned } from "./signed-request.ts";

const KEY = { accessKeyId: "AKIAREADER0000000001", secretAccessKey: "r".repeat(40) };

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
  emulator.buckets.put({ name: "revisions", objects: { "app/of mine (1).zip": "bytes" } });
});
afterAll(() => emulator.close());

const PATH = "/revisions/app/of%20mine%20%281%29.zip";
const send = (path: string, rest: Partial<Parameters<typeof sendSigned>[1]> = {}) =>
  sendSigned(emulator.url, { credentials: KEY, service: "s3", method: "GET", path, ...rest });
const may = (...actions: string[]) =>
  emulator.users.put({
    name: "reader",
    ...KEY,
    policies: [
      allow(["s3:ListAllMyBuckets", ...actions], ["arn:aws:s3:::revisions/*", "arn:aws:s3:::revisions"]),
    ],
  });

it("an object comes whole, with its version, and HEAD gives its length alone", async () => {
  may("s3:GetObject");
  const got = await send(PATH);
  expect([got.status, await got.text()]).toEqual([200, "bytes"]);
  expect(got.headers.get("x-amz-version-id")).toBe(emulator.buckets.list()[0]?.objects[0]?.versionId);
  const head = await send(PATH, { method: "HEAD" });
  expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "5", ""]);
  expect(emulator.requests.list().at(-1)).toMatchObject({ service: "s3", action: "HeadObject", status: 200 });
});

it("a version needs a right of its own", async () => {
  const versionId = emulator.buckets.list()[0]?.objects[0]?.versionId ?? "";
  may("s3:GetObject");
  const refused = await send(PATH, { query: { versionId } });
  expect(refused.status).toBe(403);
  expect(await refused.text()).toContain(
    "<Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/reader is not authorized to perform: " +
      "s3:GetObjectVersion on resource: arn:aws:s3:::revisions/app/of mine (1).zip</Message>",
  );
  may("s3:GetObjectVersion");
  expect((await send(PATH, { query: { versionId } })).status).toBe(200);
  expect(await (await send(PATH, { query: { versionId: "other" } })).text()).toContain("NoSuchVersion");
  expect((await send(PATH)).status).toBe(403);
});

it("what is not there is named only to those who may list the bucket", async () => {
  may("s3:GetObject");
  expect((await send("/revisions/absent")).status).toBe(403);
  may("s3:GetObject", "s3:ListBucket");
  const absent = await send("/revisions/absent");
  expect([absent.status, await absent.text()]).toEqual([404, expect.stringContaining("NoSuchKey")]);
});

it("a signature for another path, and none at all, are refused", async () => {
  may("s3:GetObject");
  const forged = await send(PATH, { forge: (authorization) => authorization.replace(/.$/, "x") });
  expect([forged.status, await forged.text()]).toEqual([
    403,
    expect.stringContaining("SignatureDoesNotMatch"),
  ]);
  expect((await fetch(emulator.url + PATH)).status).toBe(403);
});
