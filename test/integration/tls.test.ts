/** STS behind a certificate of the company's own CA, as behind an inspecting proxy, and behind wrong ones. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import type { ServerTls } from "../aws-emulator/emulator.ts";
import { createAuthority, issueServerCertificate } from "../harness/certificates.ts";
import { openScene, type TestContext } from "../harness/scene.ts";
import { ScratchHost } from "../harness/scratch-host.ts";

const authority = createAuthority();
const right = issueServerCertificate(authority, { hosts: ["127.0.0.1"] });
const expired = issueServerCertificate(authority, {
  hosts: ["127.0.0.1"],
  validTo: new Date(Date.now() - 86_400_000),
});
const old = {
  ...right,
  minVersion: "TLSv1",
  maxVersion: "TLSv1.1",
  ciphers: "DEFAULT@SECLEVEL=0",
} as const;
const anothers = issueServerCertificate(authority, { hosts: ["sts.ap-northeast-2.amazonaws.com"] });

async function refreshOver(
  test: TestContext,
  tls: ServerTls,
  bundle: string | null,
  env: Record<string, string> = {},
) {
  const { emulator, host } = await openScene(test, { tls, env });
  const file = join(host.directory, "company-ca.pem");
  if (bundle !== null) {
    writeFileSync(file, bundle);
    host.addConfig(`network: { ca_bundle: ${file} }\n`);
  }
  const { code, stdout } = await host.command("refresh", "--json");
  return { emulator, host, code, answer: JSON.parse(stdout) };
}

describe.concurrent("TLS", () => {
  it("a certificate of the CA in network.ca_bundle is trusted", async (test) => {
    const { answer, code } = await refreshOver(test, right, authority.cert);
    test.expect(answer).toMatchObject({ result: "issued" });
    test.expect(code).toBe(0);
  });

  const wrongOnes = [
    { what: "of an unknown CA", tls: right, bundle: null, says: /UNABLE_TO_VERIFY|SELF_SIGNED/ },
    {
      what: "of another CA than the bundle's",
      tls: right,
      bundle: createAuthority("Another CA").cert,
      says: /UNABLE_TO_VERIFY/,
    },
    { what: "that has expired", tls: expired, bundle: authority.cert, says: /CERT_HAS_EXPIRED/ },
    { what: "for another host", tls: anothers, bundle: authority.cert, says: /ERR_TLS_CERT_ALTNAME_INVALID/ },
  ];
  it.for(wrongOnes)("a certificate $what is refused, and no request is sent", async (wrong, test) => {
    const { tls, bundle, says } = wrong;
    const { emulator, answer, code } = await refreshOver(test, tls, bundle);
    test.expect(answer).toMatchObject({ result: "failed", kind: "tls" });
    test.expect(answer.message).toMatch(says);
    test.expect(answer.nextStep).toMatch(/update-ca-trust or network\.ca_bundle/);
    test.expect(code).toBe(1);
    test.expect(emulator.requests.list()).toEqual([]);
  });

  it("a server that is held down to TLS 1.1 is refused, in words", async (test) => {
    const { emulator, answer } = await refreshOver(test, old, authority.cert);
    test.expect(answer).toMatchObject({ result: "failed", kind: "tls" });
    test.expect(answer.message).toMatch(/it speaks no TLS newer than 1\.1/);
    test.expect(emulator.requests.list()).toEqual([]);
  });

  const talks = [
    { what: "NODE_TLS_REJECT_UNAUTHORIZED=0", tls: expired, env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } },
    { what: "--tls-min-v1.0", tls: old, env: { NODE_OPTIONS: "--tls-min-v1.0" } },
    {
      what: "--tls-min-v1.0 and a list of ciphers without security",
      tls: old,
      env: { NODE_OPTIONS: "--tls-min-v1.0 --tls-cipher-list=DEFAULT@SECLEVEL=0" },
    },
  ];
  it.for(talks)("$what in the environment weakens nothing", async ({ tls, env }, test) => {
    const { emulator, answer } = await refreshOver(test, tls, authority.cert, env);
    test.expect(answer).toMatchObject({ result: "failed", kind: "tls" });
    test.expect(emulator.requests.list()).toEqual([]);
  });

  it("something that speaks no TLS where TLS is expected is told apart from a network that is down", async (test) => {
    const { emulator } = await openScene(test);
    const host = new ScratchHost({ endpoint: emulator.url.replace("http:", "https:") });
    test.onTestFinished(() => host.close());
    const { stdout } = await host.command("refresh", "--json");
    const answer = JSON.parse(stdout);
    test.expect(answer).toMatchObject({ result: "failed", kind: "tls" });
    test.expect(answer.message).toContain("what answers there does not speak TLS");
  });

  it("a ca_bundle that is no certificate is a config error that names it", async (test) => {
    const { answer, code, host } = await refreshOver(test, right, "not a certificate\n");
    test.expect(answer).toMatchObject({ result: "failed", kind: "config" });
    test.expect(answer.message).toContain(join(host.directory, "company-ca.pem"));
    test.expect(code).toBe(78);
  });
});
