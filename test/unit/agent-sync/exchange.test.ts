/** The request that root takes out of a directory which others may write, and the answer that it leaves. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { parseRequest, readAnswer, sendRequest, takeRequest } from "../../../src/agent/exchange.ts";
import type { Paths } from "../../../src/config/config.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { sampleAnswer } from "../refresher/sample-health.ts";

const scratch = useScratchDirectory();
let paths: Paths;
beforeEach(() => {
  paths = { stateDir: scratch(), runtimeDir: scratch(), agentRuntimeDir: scratch("agent") };
  mkdirSync(scratch("agent", "requests"), { recursive: true });
});
const request = () => scratch("agent", "requests", "sync");
const left = () => readdirSync(scratch("agent", "requests"));
const GOOD = { id: "a-B_1", credentialsSince: { bootId: "b", bootMs: 5 }, inForce: "digest" };

describe("a request", () => {
  test("arrives as it was sent, once, and nothing stays behind", async () => {
    await sendRequest(paths, GOOD);
    expect(left()).toEqual(["sync"]);
    expect(await takeRequest(paths)).toEqual(GOOD);
    expect(left()).toEqual([]);
    expect(await takeRequest(paths)).toBeNull();
  });

  test("replaces one that was not taken yet, and may be read by root without capabilities", async () => {
    await sendRequest(paths, { id: "old", credentialsSince: null, inForce: null });
    const umask = process.umask(0o077);
    await sendRequest(paths, GOOD);
    process.umask(umask);
    expect(statSync(request()).mode & 0o777).toBe(0o644);
    expect(await takeRequest(paths)).toEqual(GOOD);
  });

  test("that a killed run had taken is cleared away by the next, which takes its own all the same", async () => {
    writeFileSync(scratch("agent", "requests", ".taken.0123456789ab"), JSON.stringify(GOOD));
    mkdirSync(scratch("agent", "requests", ".taken.ba9876543210"));
    await sendRequest(paths, { ...GOOD, id: "mine" });
    expect(await takeRequest(paths)).toMatchObject({ id: "mine" });
    expect(left()).toEqual([]);
  });

  test("is not there where its directory is not", async () => {
    rmSync(scratch("agent"), { recursive: true });
    expect(await takeRequest(paths)).toBeNull();
    await expect(sendRequest(paths, GOOD)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("whatever lies in the request's place is taken away, so that systemd does not start us for ever", () => {
  test("a link, whose target is neither read nor touched", async () => {
    writeFileSync(scratch("precious"), JSON.stringify(GOOD));
    symlinkSync(scratch("precious"), request());
    expect(await takeRequest(paths)).toBeNull();
    expect(left()).toEqual([]);
    expect(readFileSync(scratch("precious"), "utf8")).toBe(JSON.stringify(GOOD));
  });

  test("a FIFO, without waiting for its other end", async () => {
    execFileSync("mkfifo", [request()]);
    expect(await takeRequest(paths)).toBeNull();
    expect(left()).toEqual([]);
  });

  test("an empty directory", async () => {
    mkdirSync(request());
    expect(await takeRequest(paths)).toBeNull();
    expect(left()).toEqual([]);
  });

  test("a directory with something in it, which root does not walk", async () => {
    mkdirSync(request());
    writeFileSync(scratch("agent", "requests", "sync", "file"), "");
    expect(await takeRequest(paths)).toBeNull();
    expect(existsSync(request())).toBe(false);
  });

  test.each([
    ["garbage", "\0\xff garbage"],
    ["nothing", ""],
    ["a hundred megabytes' worth of one", `${JSON.stringify(GOOD)}${" ".repeat(10_000)}`],
  ])("a file of %s", async (_, text) => {
    writeFileSync(request(), text);
    expect(await takeRequest(paths)).toBeNull();
    expect(left()).toEqual([]);
  });
});

describe("only a request that makes sense is one", () => {
  test.each([
    [JSON.stringify(GOOD), GOOD],
    ['{"id":"x"}', { id: "x", credentialsSince: null, inForce: null }],
    [
      '{"id":"x","credentialsSince":null,"run":"rm -rf /"}',
      { id: "x", credentialsSince: null, inForce: null },
    ],
    [
      '{"id":"x","credentialsSince":{"bootId":5,"bootMs":5}}',
      { id: "x", credentialsSince: null, inForce: null },
    ],
    [
      '{"id":"x","credentialsSince":{"bootId":"b","bootMs":"5"}}',
      { id: "x", credentialsSince: null, inForce: null },
    ],
    [
      '{"id":"x","credentialsSince":{"bootId":"b","bootMs":1e999}}',
      { id: "x", credentialsSince: null, inForce: null },
    ],
    ['{"id":""}', null],
    ['{"id":5}', null],
    ['{"id":"../../etc/passwd"}', null],
    ['{"id":"two\\nlines"}', null],
    [`{"id":"${"x".repeat(65)}"}`, null],
    ["{}", null],
    ["[]", null],
    ["null", null],
    ["5", null],
    ["{", null],
  ])("%s", (text, expected) => {
    expect(parseRequest(text)).toEqual(expected);
  });

  test("and no mangled one ever throws, or comes through as anything but text and numbers", () => {
    const text = JSON.stringify(GOOD);
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let round = 0; round < 20_000; round += 1) {
      const at = random(text.length);
      const mangled = text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + random(4));
      const found = parseRequest(mangled);
      if (found === null) continue;
      expect(found.id).toMatch(/^[\w-]{1,64}$/);
      expect(Object.keys(found)).toEqual(["id", "credentialsSince", "inForce"]);
      if (found.credentialsSince) expect(Number.isFinite(found.credentialsSince.bootMs)).toBe(true);
    }
  });
});

describe("the answer", () => {
  const answerFile = () => scratch("agent", "agent.json");

  test("is read as it was written", async () => {
    writeFileSync(answerFile(), JSON.stringify(sampleAnswer()));
    expect(await readAnswer(paths)).toEqual(sampleAnswer());
  });

  test.each([
    ["missing", null],
    ["empty", ""],
    ["cut in half", JSON.stringify(sampleAnswer()).slice(0, 90)],
    ["of another version, without a part", JSON.stringify({ ...sampleAnswer(), reload: undefined })],
    ["without a window", JSON.stringify({ ...sampleAnswer(), pickupWindowMs: 0 })],
    ["without a boot", JSON.stringify({ ...sampleAnswer(), bootId: null })],
    ["a list", "[]"],
  ])("that is %s is none", async (_, text) => {
    if (text !== null) writeFileSync(answerFile(), text);
    expect(await readAnswer(paths)).toBeNull();
  });
});
