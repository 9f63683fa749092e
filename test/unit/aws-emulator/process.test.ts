/** The emulator as a process, steered over HTTP: what the demo and the shell see of it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BASE_KEY } from "../../aws-emulator/emulator.ts";
import { assumeRole, bareAssumeRole, connectionError, stsClient } from "./clients.ts";

interface Addresses {
  readonly url: string;
  readonly httpsUrl: string;
  readonly controlUrl: string;
}

let folder: string;
let emulator: ChildProcess;
let addresses: Addresses;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "emulator-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const keyOptions = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key];
  execFileSync("openssl", ["req", "-x509", "-days", "2", ...keyOptions, "-out", cert, ...subject], {
    stdio: "pipe",
  });
  const main = join(import.meta.dirname, "../../aws-emulator/main.ts");
  const options = ["--port", "0", "--time-factor", "60", "--tls-key", key, "--tls-cert", cert];
  emulator = spawn(process.execPath, [main, ...options], { stdio: ["ignore", "pipe", "inherit"] });
  if (emulator.stdout === null) throw new Error("no standard output");
  const [line] = await once(createInterface(emulator.stdout), "line");
  addresses = JSON.parse(String(line));
});
afterAll(() => {
  emulator.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

async function control(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; json: unknown }> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${addresses.controlUrl}/_emulator/${path}`, { method, ...init });
  return { status: response.status, json: await response.json() };
}

it("a typo in a fault is an error that names it", async () => {
  const { status, json } = await control("POST", "faults", { kind: "throttle", tmes: 1 });
  expect(status).toBe(400);
  expect(JSON.stringify(json)).toContain("tmes");
  expect((await control("GET", "fualts")).status).toBe(404);
});

it("faults are set, listed, met and cleared", async () => {
  const { json } = await control("POST", "faults", { match: { service: "sts" }, kind: "error-500" });
  expect((await bareAssumeRole(addresses.url)).status).toBe(500);
  const { id } = json as { id: number };
  expect((await control("GET", "faults")).json).toMatchObject([{ id, kind: "error-500" }]);
  await control("DELETE", `faults/${id}`);
  expect((await bareAssumeRole(addresses.url)).status).toBe(403);
});

it("requests are listed without secrets, and cleared", async () => {
  await control("DELETE", "requests");
  const { credentials } = await assumeRole(stsClient(addresses));
  const text = JSON.stringify((await control("GET", "requests")).json);
  expect(text).toContain('"RoleSessionName":"serial-ABCDEFG"');
  for (const secret of [BASE_KEY.secretAccessKey, credentials.secretAccessKey, credentials.sessionToken])
    expect(text).not.toContain(secret);
});

it("keys, instances, events and settings are steered", async () => {
  await control("PUT", `keys/${BASE_KEY.accessKeyId}`, { state: "invalid" });
  await expect(assumeRole(stsClient(addresses))).rejects.toMatchObject({ name: "InvalidClientTokenId" });
  await control("PUT", `keys/${BASE_KEY.accessKeyId}`, { state: "active" });
  const { arn } = await assumeRole(stsClient(addresses));
  await control("PUT", "instances", { name: "serial-ABCDEFG", region: "ap-northeast-2", iamSessionArn: arn });
  expect((await control("GET", "instances")).json).toMatchObject([{ iamSessionArn: arn }]);
  const event = (await control("POST", "events", { hostIdentifier: arn, script: "true" })).json as {
    id: string;
  };
  const path = `events/${encodeURIComponent(event.id)}`;
  expect((await control("GET", path)).json).toMatchObject({ state: "queued" });
  const late = await control("GET", `${path}?state=succeeded&timeoutMs=20`);
  expect(late.status).toBe(400);
  expect((await control("PATCH", "settings", { pollHoldMs: 5 })).json).toMatchObject({ pollHoldMs: 5 });
});

it("down refuses connections while the control port still answers, for the time given", async () => {
  await control("POST", "down", { forMs: 300 });
  expect(await connectionError(addresses.url)).toBe("ECONNREFUSED");
  expect((await control("GET", "outages")).json).toContainEqual(
    expect.objectContaining({ cause: "down", to: null }),
  );
  await expect
    .poll(() =>
      bareAssumeRole(addresses.url).then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(403);
});

it("HTTPS answers with the certificate given, and can be reset below TLS", async () => {
  const ask = (): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const ca = readFileSync(join(folder, "cert.pem"));
      const outgoing = request(addresses.httpsUrl, { ca, method: "POST", agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      outgoing.on("error", reject).end();
    });
  expect(await ask()).toBe(403);
  await control("POST", "faults", { kind: "reset", times: 1 });
  await expect(ask()).rejects.toMatchObject({ message: "read ECONNRESET" });
});

it("SIGTERM ends it, with a poll or a hang in progress", async () => {
  await control("POST", "faults", { kind: "hang" });
  const hanging = bareAssumeRole(addresses.url).catch((error: unknown) => error);
  await expect
    .poll(async () => JSON.stringify((await control("GET", "requests")).json))
    .toContain('"fault":"hang"');
  emulator.kill("SIGTERM");
  const [code] = await once(emulator, "exit");
  expect(code).toBe(0);
  expect(await hanging).toBeInstanceOf(Error);
});
