/** registration.json, as somebody else may have left it. */
import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readRegistration } from "../../../src/registration/record.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();
const GOOD = {
  schema: 1,
  state: "complete",
  serial: "SN-1",
  region: "ap-northeast-2",
  sessionArn: "arn",
  tags: [{ key: "Name", value: "web" }],
  machine: { productUuid: "x", productSerial: null, machineId: null },
  startedAt: "2026-11-22T10:30:00Z",
};
const read = (text: string) => {
  writeFileSync(scratch("registration.json"), text);
  return readRegistration(scratch("config.yaml"));
};

test("a whole one is taken", async () => {
  expect(await read(JSON.stringify(GOOD))).toEqual(GOOD);
});

test.each([
  ["no JSON", "{", "is not JSON"],
  ["control characters", "\0\x1b[2J", "is not JSON"],
  ["a tag that is none", JSON.stringify({ ...GOOD, tags: [null] }), "another version"],
  ["a tag without a value", JSON.stringify({ ...GOOD, tags: [{ key: "a" }] }), "another version"],
  ["a machine of numbers", JSON.stringify({ ...GOOD, machine: { productUuid: 5 } }), "another version"],
  ["no region", JSON.stringify({ ...GOOD, region: undefined }), "another version"],
])("%s is told by the file's name, and without the parser's words", async (_, text, why) => {
  await expect(read(text)).rejects.toThrow(
    new RegExp(`^${RegExp.escape(scratch("registration.json"))} .*${why}`),
  );
});
