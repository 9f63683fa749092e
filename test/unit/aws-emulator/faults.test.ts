/** Every fault that can be ordered, as a client meets it. */
import { createServer } from "node:net";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Emulator } from "../../aws-emulator/emulator.ts";
import { startEmulator } from "../../aws-emulator/emulator.ts";
import { FAULT_KINDS, type FaultSpec } from "../../aws-emulator/faults/fault.ts";
import { assumeRole, bareAssumeRole, barePoll, connectionError, stsClient } from "./clients.ts";

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.reset());
afterAll(() => emulator.close());

/** Not answered within this: a hang. Every answer that does come takes a few milliseconds. */
const HANG_MS = 400;
const impatient = (): RequestInit => ({ signal: AbortSignal.timeout(HANG_MS) });
const once = (spec: FaultSpec): unknown => emulator.faults.set({ ...spec, times: 1 });

describe("instead of the answer", () => {
  it.each([
    ["throttle", 400, "<Code>Throttling</Code>", "ThrottlingException"],
    ["request-limit-exceeded", 503, "<Code>RequestLimitExceeded</Code>", "RequestLimitExceeded"],
    ["error-500", 500, "<Code>InternalFailure</Code>", "InternalFailure"],
    ["deny", 403, "<Code>AccessDenied</Code>", "AccessDeniedException"],
    ["region-disabled", 403, "<Code>RegionDisabledException</Code>", "RegionDisabledException"],
  ] as const)("%s is an error of either protocol", async (kind, status, xml, type) => {
    emulator.faults.set({ kind, retryAfterSeconds: 7 });
    const sts = await bareAssumeRole(emulator.url);
    expect(sts.status).toBe(status);
    expect(await sts.text()).toContain(xml);
    expect(await (await barePoll(emulator.url)).json()).toMatchObject({ __type: type });
    if (kind === "throttle") expect(sts.headers.get("retry-after")).toBe("7");
    expect(emulator.requests.list()[0]).toMatchObject({ fault: kind, status });
  });

  it("exception is whatever the service may answer, by its name", async () => {
    const message = "The on-premises instance name is in an invalid format";
    emulator.faults.set({ kind: "exception", code: "InvalidInstanceNameException", message });
    const answer = await barePoll(emulator.url);
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({ __type: "InvalidInstanceNameException", message }),
    ]);
  });

  it("error-503-html, error-503-empty, garbage and redirect are what they say", async () => {
    once({ kind: "error-503-html" });
    once({ kind: "error-503-empty" });
    once({ kind: "garbage" });
    once({ kind: "redirect", location: "http://elsewhere.invalid/" });
    const html = await bareAssumeRole(emulator.url);
    expect([html.status, html.headers.get("content-type")]).toEqual([503, "text/html"]);
    const empty = await bareAssumeRole(emulator.url);
    expect([empty.status, await empty.text()]).toEqual([503, ""]);
    const garbage = await bareAssumeRole(emulator.url);
    expect([garbage.status, await garbage.text()]).toEqual([200, expect.stringContaining("nonsense")]);
    const redirect = await bareAssumeRole(emulator.url);
    expect([redirect.status, redirect.headers.get("location")]).toEqual([302, "http://elsewhere.invalid/"]);
  });

  it("huge-body sends as many megabytes as asked", async () => {
    once({ kind: "huge-body", megabytes: 8 });
    const body = await (await bareAssumeRole(emulator.url)).arrayBuffer();
    expect(body.byteLength).toBeGreaterThanOrEqual(8 * 1024 * 1024);
  });
});

describe("no answer, or half of one", () => {
  it("hang says nothing at all", async () => {
    once({ kind: "hang" });
    await expect(bareAssumeRole(emulator.url, impatient())).rejects.toMatchObject({ name: "TimeoutError" });
    expect(emulator.requests.list()[0]).toMatchObject({ status: null, endedAt: null, fault: "hang" });
  });

  it("hang-mid-body stops after the headers and half of the body", async () => {
    once({ kind: "hang-mid-body" });
    const response = await bareAssumeRole(emulator.url, impatient());
    expect(Number(response.headers.get("content-length"))).toBeGreaterThan(100);
    await expect(response.text()).rejects.toMatchObject({ name: "TimeoutError" });
  });

  it("reset cuts the connection", async () => {
    once({ kind: "reset" });
    await expect(bareAssumeRole(emulator.url)).rejects.toMatchObject({
      cause: { message: "read ECONNRESET" },
    });
  });

  it("reset-mid-body cuts it after the headers", async () => {
    once({ kind: "reset-mid-body" });
    const response = await bareAssumeRole(emulator.url, impatient());
    await expect(response.text()).rejects.toMatchObject({ message: "terminated" });
  });

  it("truncated ends well-formed HTTP in the middle of the XML", async () => {
    once({ kind: "truncated" });
    const text = await (await bareAssumeRole(emulator.url)).text();
    expect(text).toMatch(/^<ErrorResponse/);
    expect(text).not.toContain("</ErrorResponse>");
  });
});

describe("a false answer", () => {
  const assumed = (spec: FaultSpec): ReturnType<typeof assumeRole> => {
    once(spec);
    return assumeRole(stsClient(emulator));
  };

  it("missing-field leaves out the field named", async () => {
    await expect(assumed({ kind: "missing-field", field: "SecretAccessKey" })).rejects.toThrow(
      "lacks a member",
    );
  });

  it("wrong-session-arn names another session", async () => {
    expect((await assumed({ kind: "wrong-session-arn" })).arn).toMatch(/\/someone-else$/);
  });

  it("expired-answer has ended an hour ago", async () => {
    expect((await assumed({ kind: "expired-answer" })).expiration.getTime()).toBeLessThan(
      Date.now() - 3_500_000,
    );
  });

  it("bad-date has an Expiration that is none", async () => {
    await expect(assumed({ kind: "bad-date" })).rejects.toThrow("the day after tomorrow");
  });

  it("newline-in-token and ini-syntax-in-token would write another profile", async () => {
    const { credentials } = await assumed({ kind: "newline-in-token" });
    expect(credentials.sessionToken).toContain("\n[default]\n");
    expect((await assumed({ kind: "ini-syntax-in-token" })).credentials.sessionToken).toContain(
      ' ; "quoted"',
    );
  });
});

describe("a circumstance", () => {
  it("clock-wrong shows in Date, and in what is said of the signature", async () => {
    emulator.faults.set({ kind: "clock-wrong", clockAheadSeconds: -600 });
    const { headers } = await bareAssumeRole(emulator.url);
    expect(Date.parse(headers.get("date") ?? "") - Date.now()).toBeLessThan(-590_000);
    await expect(stsClient(emulator).send(new GetCallerIdentityCommand({}))).rejects.toThrow(
      /^Signature not yet current: /,
    );
  });

  it("slow delays the answer, and goes with another fault", async () => {
    emulator.faults.set({ kind: "slow", delayMs: 120 });
    once({ kind: "throttle" });
    const start = performance.now();
    expect((await bareAssumeRole(emulator.url)).status).toBe(400);
    expect(performance.now() - start).toBeGreaterThan(110);
    expect(emulator.requests.list()[0]).toMatchObject({ fault: "slow + throttle" });
    expect(emulator.outages.list().map(({ cause }) => cause)).toEqual([
      expect.stringMatching(/^fault \d+: throttle$/),
    ]);
  });
});

describe("the order and the end of faults", () => {
  it("meet only the service and the action named", async () => {
    emulator.faults.set({ match: { service: "sts", action: "AssumeRole" }, kind: "throttle" });
    await stsClient(emulator).send(new GetCallerIdentityCommand({}));
    expect(await (await barePoll(emulator.url)).json()).toMatchObject({ __type: /Missing/ });
    await expect(assumeRole(stsClient(emulator))).rejects.toMatchObject({ name: /^Throttling/ });
  });

  it("come in the order set, end after their times, and leave an outage with its end", async () => {
    emulator.faults.set({ match: { service: "sts" }, kind: "error-500", times: 2 });
    const lasting = emulator.faults.set({ match: { service: "sts" }, kind: "throttle" });
    const statuses: number[] = [];
    for (let count = 0; count < 3; count += 1) statuses.push((await bareAssumeRole(emulator.url)).status);
    expect(statuses).toEqual([500, 500, 400]);
    expect(emulator.outages.stsReachable(new Date())).toBe(false);
    emulator.faults.clear(lasting.id);
    expect(emulator.outages.list().every(({ to }) => to !== null)).toBe(true);
    await assumeRole(stsClient(emulator));
    expect(emulator.requests.list().at(-1)).toMatchObject({ stsReachable: true, status: 200 });
  });

  it("down refuses connections, up takes them again on the same port", async () => {
    await emulator.down();
    expect(await connectionError(emulator.url)).toBe("ECONNREFUSED");
    await emulator.up();
    expect((await bareAssumeRole(emulator.url)).status).toBe(403);
  });

  it("leaves the port to nobody else while it is up", async () => {
    const thief = createServer();
    const outcome = new Promise((resolve) => thief.once("error", resolve).once("listening", resolve));
    thief.listen(Number(new URL(emulator.url).port), "127.0.0.1");
    expect(await outcome).toMatchObject({ code: "EADDRINUSE" });
  });
});

it("every kind of fault is tried above", async () => {
  const source = await import("node:fs/promises").then(({ readFile }) =>
    readFile(import.meta.filename, "utf8"),
  );
  expect(FAULT_KINDS.filter((kind) => !source.includes(`"${kind}"`))).toEqual([]);
});
