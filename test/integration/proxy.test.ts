/** AWS through a proxy: named in the config, named in the environment, and left out for some hosts. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { fixedPassword } from "../aws-emulator/identity/canary.ts";
import { createAuthority, issueServerCertificate } from "../harness/certificates.ts";
import { type RunningProxy, startProxy } from "../harness/proxy.ts";
import { openScene, type SceneOptions, type TestContext } from "../harness/scene.ts";

const authority = createAuthority();
const tls = issueServerCertificate(authority, { hosts: ["127.0.0.1"] });
/** Nothing listens there: who takes this way fails. */
const NOWHERE = "http://127.0.0.1:9";

async function openProxied(
  test: TestContext,
  options: (proxy: RunningProxy) => SceneOptions,
  proxyOptions: Parameters<typeof startProxy>[0] = {},
) {
  const proxy = await startProxy(proxyOptions);
  test.onTestFinished(() => proxy.close());
  const scene = await openScene(test, options(proxy));
  return { ...scene, proxy };
}

describe.concurrent("the way to AWS", () => {
  it("network.proxy is used, for http", async (test) => {
    const { host, emulator, proxy } = await openProxied(test, ({ url }) => ({
      config: `network: { proxy: "${url}" }\n`,
    }));
    const { code } = await host.command("refresh");
    test.expect(code).toBe(0);
    test.expect(proxy.asked).toEqual([`POST ${emulator.url}/`]);
  });

  it("network.proxy is used, for https, in a tunnel that ends at AWS", async (test) => {
    const { host, emulator, proxy } = await openProxied(test, () => ({ tls }));
    const bundle = join(host.directory, "ca.pem");
    writeFileSync(bundle, authority.cert);
    host.addConfig(`network: { proxy: "${proxy.url}", ca_bundle: ${bundle} }\n`);
    const { code, stderr } = await host.command("refresh");
    test.expect(stderr).toBe("");
    test.expect(code).toBe(0);
    test.expect(proxy.asked).toEqual([`CONNECT ${new URL(emulator.httpsUrl ?? "").host}`]);
  });

  it("HTTPS_PROXY is used when the config names no proxy, also by the service's refreshes", async (test) => {
    const { host, emulator, proxy } = await openProxied(test, ({ url }) => ({
      tls,
      env: { HTTPS_PROXY: url },
    }));
    const bundle = join(host.directory, "ca.pem");
    writeFileSync(bundle, authority.cert);
    host.addConfig(`network: { ca_bundle: ${bundle} }\n`);
    host.startRun();
    await host.waitForStatus(({ state }) => state === "fresh", "the first credentials");
    test.expect(proxy.asked).toEqual([`CONNECT ${new URL(emulator.httpsUrl ?? "").host}`]);
  });

  it("network.proxy wins over HTTPS_PROXY and HTTP_PROXY", async (test) => {
    const { host, proxy } = await openProxied(test, ({ url }) => ({
      config: `network: { proxy: "${url}" }\n`,
      env: { HTTPS_PROXY: NOWHERE, HTTP_PROXY: NOWHERE },
    }));
    test.expect((await host.command("refresh")).code).toBe(0);
    test.expect(proxy.asked).toHaveLength(1);
  });

  it.for(["NO_PROXY", "no_proxy"])("%s is honoured", async (name, test) => {
    const { host, proxy } = await openProxied(test, ({ url }) => ({
      config: `network: { proxy: "${url}" }\n`,
      env: { [name]: "example.com,127.0.0.1" },
    }));
    test.expect((await host.command("refresh")).code).toBe(0);
    test.expect(proxy.asked).toEqual([]);
  });

  it("a proxy that is down is named in the failure", async (test) => {
    const { host } = await openScene(test, { config: `network: { proxy: "${NOWHERE}" }\n` });
    const { stdout, code } = await host.command("refresh", "--json");
    const answer = JSON.parse(stdout);
    test.expect(answer).toMatchObject({ kind: "unreachable" });
    test.expect(answer.message).toContain(`through the proxy ${NOWHERE}`);
    test.expect(code).toBe(1);
  });

  it("a proxy that wants a password is named, and the password it was given is not", async (test) => {
    const { host, proxy } = await openProxied(
      test,
      ({ port }) => ({ tls, env: { HTTPS_PROXY: `http://who:${fixedPassword()}@127.0.0.1:${port}` } }),
      { refuses: true },
    );
    const { stdout, stderr } = await host.command("refresh", "--json");
    const answer = JSON.parse(stdout);
    test.expect(answer).toMatchObject({ kind: "unreachable" });
    test.expect(answer.message).toContain(`through the proxy ${proxy.url}`);
    test.expect(stdout + stderr).not.toContain(fixedPassword());
  });
});
