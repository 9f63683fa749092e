/** How AWS is reached, against real servers and a real proxy; and what its failures are called. */
import { writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { describe, expect, test } from "vitest";
import { openNetwork } from "../../../src/aws/network.ts";
import { assumeRole, stsEndpoint } from "../../../src/aws/sts.ts";
import type { Config } from "../../../src/config/config.ts";
import { Failure } from "../../../src/failure.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { selfSigned } from "./certificate.ts";
import { sampleConfig } from "./sample-config.ts";
import { closedPort, useServers } from "./servers.ts";

const scratch = useScratchDirectory();
const servers = useServers();
const identity = selfSigned();
const ARN = "arn:aws:sts::123456789012:assumed-role/Role/SN-1";

const answer = (expiration = new Date(Date.now() + 3_600_000).toISOString()) =>
  `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><Arn>${ARN}</Arn></AssumedRoleUser><Credentials><AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>s/+x</SecretAccessKey><SessionToken>t==</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
const sts: RequestListener = (_, response) => {
  response.setHeader("content-type", "text/xml");
  response.end(answer());
};

type NetworkConfig = Partial<Config["network"]>;

async function call(endpoint: string, network: NetworkConfig = {}, env: NodeJS.ProcessEnv = {}) {
  const config = sampleConfig({ network: { ...sampleConfig().network, ...network } });
  const base = { identity: { accessKeyId: "AKIAX", secretAccessKey: "geheim" }, source: "the test" };
  return assumeRole({
    config,
    base,
    network: await openNetwork(config, 1, env),
    durationMs: 3_600_000,
    endpoint,
  });
}

async function failureOf(...args: Parameters<typeof call>): Promise<Failure> {
  const error = await call(...args).catch((thrown: unknown) => thrown);
  if (error instanceof Failure) return error;
  throw new Error(`expected a Failure, not ${String(error)}`);
}

const url = (port: number, scheme = "http") => `${scheme}://127.0.0.1:${port}`;
const trusting = (cert = identity.cert) => {
  writeFileSync(scratch("ca.pem"), cert);
  return { caBundle: scratch("ca.pem") };
};

describe("a proxy", () => {
  test("of the config is used, with its tunnel to the endpoint alone", async () => {
    const [target, proxy] = [await servers.answering(sts, identity), await servers.proxy()];
    await call(url(target.port, "https"), { proxy: url(proxy.port), ...trusting() });
    expect(proxy.requests).toEqual([`CONNECT 127.0.0.1:${target.port}`]);
    expect(target.requests).toEqual(["POST /"]);
  });

  test.each(["HTTPS_PROXY", "https_proxy"])(
    "of the environment (%s) is used, with its user and password",
    async (name) => {
      const [target, proxy] = [await servers.answering(sts, identity), await servers.proxy()];
      await call(url(target.port, "https"), trusting(), {
        [name]: `http://user:geh%21eim@127.0.0.1:${proxy.port}`,
      });
      const login = Buffer.from("user:geh!eim").toString("base64");
      expect(proxy.requests).toEqual([`CONNECT 127.0.0.1:${target.port} Basic ${login}`]);
    },
  );

  test("of the config wins over the environment's", async () => {
    const [target, proxy] = [await servers.answering(sts, identity), await servers.proxy()];
    const env = { HTTPS_PROXY: url(await closedPort()) };
    await call(url(target.port, "https"), { proxy: url(proxy.port), ...trusting() }, env);
    expect(proxy.requests).toHaveLength(1);
  });

  test.each([
    ["NO_PROXY", "127.0.0.1"],
    ["no_proxy", "sts.example,127.0.0.1"],
    ["NO_PROXY", "*"],
  ])("is passed by where %s is %s, the config's, too", async (name, value) => {
    const [target, proxy] = [await servers.answering(sts, identity), await servers.proxy()];
    const env = { [name]: value, HTTPS_PROXY: url(proxy.port) };
    await call(url(target.port, "https"), trusting(), env);
    await call(url(target.port, "https"), { proxy: url(proxy.port), ...trusting() }, env);
    expect(proxy.requests).toEqual([]);
    expect(target.requests).toHaveLength(2);
  });

  test("that refuses, that is gone and that says nothing are told apart, without the password", async () => {
    const target = url((await servers.answering(sts, identity)).port, "https");
    const through = (port: number) => ({ HTTPS_PROXY: `http://user:geheim@127.0.0.1:${port}` });
    const refusing = await servers.proxy(407);
    const silent = await servers.proxy(null);
    const failures = [
      await failureOf(target, trusting(), through(refusing.port)),
      await failureOf(target, trusting(), through(await closedPort())),
      await failureOf(target, { ...trusting(), requestTimeoutMs: 300 }, through(silent.port)),
    ];
    expect(failures.map(({ kind }) => kind)).toEqual(["unreachable", "unreachable", "timeout"]);
    expect(failures[0]?.message).toContain("407");
    for (const { message, nextStep } of failures) {
      expect(message).toContain("through the proxy http://127.0.0.1:");
      expect(message + nextStep).not.toContain("geheim");
    }
  });

  test.each([
    "http://user:geheim@",
    "http://user:geheim@h:x",
    "http://u:geheim%zz@h:1",
    "socks5://u:geheim@h:1",
    "geheim",
    "proxy:3128",
  ])("that cannot be one (%s) is an error of the configuration, without its password", async (proxy) => {
    const { kind, message } = await failureOf("https://127.0.0.1:1", {}, { HTTPS_PROXY: proxy });
    expect(kind).toBe("config");
    expect(message).toContain("HTTPS_PROXY in the environment");
    expect(message).not.toContain("geheim");
  });
});

describe("the certificate of the server", () => {
  test("is trusted by the configured bundle, which may be a link", async () => {
    const { port } = await servers.answering(sts, identity);
    expect((await call(url(port, "https"), trusting())).session.sessionArn).toBe(ARN);
  });

  test.each([
    ["is signed by nobody we know", identity, undefined, /DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED/],
    ["has expired", selfSigned("127.0.0.1", new Date(Date.now() - 60_000)), "own", /CERT_HAS_EXPIRED/],
    ["is for another address", selfSigned("10.9.8.7"), "own", /ERR_TLS_CERT_ALTNAME_INVALID/],
  ])("that %s ends the call", async (_, server, trust, code) => {
    const { port, requests } = await servers.answering(sts, server);
    const failure = await failureOf(url(port, "https"), trust ? trusting(server.cert) : {});
    expect(failure.kind).toBe("tls");
    expect(failure.message).toMatch(code);
    expect(failure.nextStep).toContain("update-ca-trust");
    expect(requests).toEqual([]);
  });

  test("is asked of a server that speaks no TLS at all, too", async () => {
    const { port } = await servers.answering(sts);
    expect((await failureOf(url(port, "https"))).kind).toBe("tls");
  });

  test("a bundle that is missing, or holds none, is an error of the configuration", async () => {
    const missing = await failureOf("https://127.0.0.1:1", { caBundle: scratch("none.pem") });
    expect(missing).toMatchObject({
      kind: "config",
      message: `network.ca_bundle ${scratch("none.pem")} cannot be read: ENOENT`,
    });
    const empty = await failureOf("https://127.0.0.1:1", trusting("hello"));
    expect(empty.message).toContain("holds no certificate in PEM form");
  });
});

describe("a server that does not do its part", () => {
  const CASES: [string, RequestListener, string, RegExp][] = [
    ["says nothing", () => undefined, "timeout", /did not answer AssumeRole in time/],
    [
      "stops in the middle of its answer",
      (_, response) => void response.write("<Assume"),
      "timeout",
      /in time/,
    ],
    ["cuts the connection", (request) => void request.socket.destroy(), "unreachable", /ECONNRESET/],
    [
      "cuts the connection in its answer",
      (request, response) => {
        response.writeHead(200, { "content-length": 500 });
        response.write("<A", () => request.socket.destroy());
      },
      "unreachable",
      /ECONNRESET/,
    ],
    [
      "sends far too much",
      (_, response) => void response.end("x".repeat(300_000)),
      "bad_answer",
      /more than 262144 bytes/,
    ],
    [
      "answers a page",
      (_, response) => void response.end(`<html><body>${"Log in! ".repeat(5_000)}</body></html>`),
      "bad_answer",
      /not an answer of AWS|not used/,
    ],
    ["answers nothing", (_, response) => void response.end(), "bad_answer", /not an answer of AWS|not used/],
    [
      "redirects to a login page",
      (_, response) => void response.writeHead(302, { location: "http://x/" }).end(),
      "bad_answer",
      /HTTP 302/,
    ],
    [
      "is down, with a page",
      (_, response) => void response.writeHead(503).end("<html>Service\nUnavailable</html>"),
      "server_error",
      /HTTP 503/,
    ],
    [
      "is down, with nothing",
      (_, response) => void response.writeHead(500).end(),
      "server_error",
      /HTTP 500/,
    ],
    [
      "has an error in its own XML",
      (_, response) =>
        void response
          .writeHead(403, { "content-type": "text/xml" })
          .end(
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
          ),
      "denied",
      /denies AssumeRole.*: no$/,
    ],
  ];
  test.each(CASES)("%s", async (_, listener, kind, message) => {
    const { port } = await servers.answering(listener);
    const failure = await failureOf(url(port), kind === "timeout" ? { requestTimeoutMs: 300 } : {});
    expect([failure.kind, failure.message]).toEqual([kind, expect.stringMatching(message)]);
    expect(failure.message).toMatch(/^[^\n]{1,600}$/);
    expect(failure.message).not.toMatch(/geheim|Log in/);
  });

  test("is not there", async () => {
    expect(await failureOf(url(await closedPort()))).toMatchObject({
      kind: "unreachable",
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)$/),
    });
  });

  test("asks us to stay away for a while", async () => {
    const { port } = await servers.answering((_, response) => {
      response.writeHead(503, { "retry-after": "17" }).end();
    });
    expect((await failureOf(url(port))).report()).toMatchObject({
      kind: "server_error",
      retryAfterMs: 17_000,
    });
  });
});

describe("the endpoint to call", () => {
  const config = (sts: string | null) => sampleConfig({ endpoints: { sts, codedeploy: null } });
  test("is the config's, else the environment's, else the region's", () => {
    const env = { AWS_ENDPOINT_URL_STS: "https://sts.example" };
    expect(stsEndpoint(config("https://own.example"), env)).toBe("https://own.example");
    expect(stsEndpoint(config(null), env)).toBe("https://sts.example");
    expect(stsEndpoint(config(null), {})).toBeNull();
  });

  test("is refused where the environment's would carry credentials in the clear", () => {
    expect(() => stsEndpoint(config(null), { AWS_ENDPOINT_URL_STS: "http://sts.example" })).toThrow(Failure);
  });
});
