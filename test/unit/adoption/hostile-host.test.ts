/** Any user of a host may have a crontab, and root's adopt reads them all: it must neither hang nor run out of memory. */
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseCrontab } from "../../../src/adoption/crontab.ts";
import { best } from "../../../src/adoption/evidence.ts";
import { readManifest } from "../../../src/adoption/manifest.ts";
import { redacted } from "../../../src/adoption/redact.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();
const USER = { kind: "user", user: "mallory" } as const;
/** Far more than is needed, and far less than what was wrong took. */
const LIMIT_MS = 60_000;

describe("a crontab of a megabyte", { timeout: LIMIT_MS }, () => {
  test("of settings, with entries below them, does not keep each setting for each entry", () => {
    const settings = Array.from({ length: 60_000 }, (_, index) => `A${index}=`).join("\n");
    const entries = parseCrontab(`${settings}\n${"* * * * * x\n".repeat(3_000)}`, USER);
    expect(entries).toHaveLength(2_000);
    expect(entries.reduce((sum, { env }) => sum + env.size, 0)).toBeLessThanOrEqual(200_000);
  });

  test.each(["a", "secret", "--secret-", "token=", "pwd", "aA1/"])(
    "of %j in one command is shown",
    (piece) => {
      expect(redacted(piece.repeat(900_000 / piece.length)).length).toBeLessThanOrEqual(301);
    },
  );
});

test("a quoted secret whose end is missing is blotted out all the same", () => {
  expect(redacted('/x.sh --password="hunter2 and more')).toBe("/x.sh --password=***");
  expect(redacted(`/x.sh TOKEN='${"x".repeat(5_000)}'`)).toBe("/x.sh TOKEN=***");
});

test("more entries than a call takes arguments are weighed", () => {
  const entries = Array.from({ length: 200_000 }, (_, index) => ({
    evidence: { score: index % 9, mentions: [] },
  }));
  expect(best(entries).refreshers).toHaveLength(Math.floor(200_000 / 9));
});

describe("a manifest", () => {
  const MANIFEST = {
    schema: 1,
    state: "adopted",
    startedAt: "2026-11-22T10:30:00Z",
    undoStartedAt: null,
    serial: "SN-1",
    region: "ap-northeast-2",
    roleArn: "arn",
    sessionArn: "arn",
    old: { kind: "session", credentialsFile: "/root/creds" },
    onPremisesConfigFile: "/etc/x.yml",
    jobs: [{ file: "/etc/cron.d/x", content: "x", line: 1, user: "root", schedule: "* * * * *" }],
    files: [{ path: "/etc/x", backup: "0-x", mode: 420, userId: 0, groupId: 0 }],
  };
  const write = (text: string) => {
    mkdirSync(scratch("adoption"), { recursive: true });
    writeFileSync(scratch("adoption", "manifest.json"), text);
    return readManifest(scratch("config.yaml"));
  };

  test("that is whole is taken", async () => {
    expect(await write(JSON.stringify(MANIFEST))).toEqual(MANIFEST);
  });

  test.each([
    ["a job that is none", { ...MANIFEST, jobs: [null] }],
    ["a job without a line", { ...MANIFEST, jobs: [{ file: "x", content: "y" }] }],
    ["a file without a path", { ...MANIFEST, files: [{ backup: null, mode: 0, userId: 0, groupId: 0 }] }],
    [
      "a copy that lies elsewhere",
      { ...MANIFEST, files: [{ ...MANIFEST.files[0], backup: "../../shadow" }] },
    ],
    ["no kind of host", { ...MANIFEST, old: {} }],
  ])("with %s is refused by its name", async (_, manifest) => {
    await expect(write(JSON.stringify(manifest))).rejects.toMatchObject({
      message: expect.stringContaining(scratch("adoption", "manifest.json")),
    });
  });

  test("of control characters is refused without them", async () => {
    const error: unknown = await write("\0\x1b[2J").catch((thrown: unknown) => thrown);
    expect(String(error)).not.toMatch(/(?!\n)\p{Cc}/u);
  });
});
