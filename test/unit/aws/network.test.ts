/** How AWS is reached, against real servers and a real proxy. */
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { ARN, call, failureOf, sts, url } from "./assume-role.ts";
import { selfSigned } from "./certificate.ts";
import { closedPort, useServers } from "./servers.ts";

const scratch = useScratchDirectory();
const servers = useServers();
const identity = selfSigned();

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
