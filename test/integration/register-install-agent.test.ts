/** `register --install-agent`: from a directory, over HTTPS with a CA of its own, through a proxy; and what is refused. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { OPERATOR_KEY } from "../aws-emulator/emulator.ts";
import { createAuthority, issueServerCertificate } from "../harness/certificates.ts";
import { CONFIG_FILE, differences } from "../harness/host-root.ts";
import type { HostScene } from "../harness/host-scene.ts";
import { startProxy } from "../harness/proxy.ts";
import type { TestContext } from "../harness/scene.ts";
import {
  changesAtAws,
  openRegisterScene,
  registered,
  run,
  stepsOf,
  under,
  WITH_BASE,
} from "./register-scene.ts";

const PLACE = "releases/codedeploy-agent-1.8.1-9.noarch.rpm";
const VERSION = JSON.stringify({ rpm: PLACE, deb: "releases/codedeploy-agent_1.8.1-9_all.deb" });
const STEP = "Install the CodeDeploy agent";
const MIRROR = "/opt/mirror";

/** Stands in for the host's own: it lays down what the agent's package does, and notes what it was called with. */
const DNF = `#!/bin/sh
set -e
{ echo "$@"; env | grep ^AWS_ || true; } > /var/log/dnf-called
for package; do :; done
cp "$package" /var/log/package
grep -q "the agent's package" "$package" || { echo "Error: not an rpm" >&2; exit 1; }
mkdir -p /opt/codedeploy-agent/bin /opt/codedeploy-agent/deployment-root /etc/codedeploy-agent/conf /var/log/aws/codedeploy-agent
cat > /etc/codedeploy-agent/conf/codedeployagent.yml <<END
---
:log_dir: '/var/log/aws/codedeploy-agent/'
:pid_dir: '/opt/codedeploy-agent/state/.pid/'
:program_name: codedeploy-agent
:root_dir: '/opt/codedeploy-agent/deployment-root'
:wait_between_runs: 1
END
echo "agent_version: OFFICIAL_1.8.1-9_rpm" > /opt/codedeploy-agent/.version
printf '#!/bin/sh\\nexit 1\\n' > /opt/codedeploy-agent/bin/codedeploy-agent
chmod 755 /opt/codedeploy-agent/bin/codedeploy-agent
`;

async function open(context: TestContext, agent: "absent" | "stopped" = "absent"): Promise<HostScene> {
  const scene = await openRegisterScene(context, { agent });
  scene.host.program("dnf", DNF);
  return scene;
}

function layMirror({ host }: HostScene): void {
  host.write(`${MIRROR}/latest/VERSION`, VERSION);
  host.write(`${MIRROR}/${PLACE}`, "the agent's package\n");
}

const from = (source: string, more: string[] = []) => [
  ...[...WITH_BASE, "--install-agent", "--agent-source", source],
  ...more,
];

const called = ({ host }: HostScene) => {
  const path = "/var/log/dnf-called";
  return existsSync(host.path(path)) ? host.read(path).trim().split("\n") : [];
};

interface Mirror {
  url: string;
  /** PEM of who signed its certificate. */
  authority: string;
}

async function startMirror(context: TestContext, answers: Record<string, string>): Promise<Mirror> {
  const authority = createAuthority();
  const certificate = issueServerCertificate(authority, { hosts: ["127.0.0.1"] });
  const server = createServer(certificate, ({ url = "" }, response) => {
    const body = answers[url];
    response.writeHead(body === undefined ? 404 : 200).end(body ?? "no such key");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `https://127.0.0.1:${port}/agent`, authority: authority.cert };
}

const WHOLE = { "/agent/latest/VERSION": VERSION, [`/agent/${PLACE}`]: "the agent's package\n" };

describe.concurrent("register --install-agent", () => {
  test("installs it from a directory, starts it, and sees it poll", async (context) => {
    const scene = await open(context);
    layMirror(scene);
    const { stdout } = await registered(scene, from(`file://${MIRROR}`));
    expect(under(stdout, STEP)).toBe(`installed 1.8.1-9 from ${MIRROR}`);
    expect(under(stdout, "Check the host")).toContain("the CodeDeploy agent is to be installed");
    expect(stepsOf(stdout).at(-1)).toBe("ok Read back, and see the agent poll");
    // The operator's keys are nothing for a package's scriptlets.
    expect(called(scene)).toEqual([`install --assumeyes ${MIRROR}/${PLACE}`]);
    const again = await registered(scene, from(MIRROR));
    expect(under(again.stdout, STEP)).toBe("version 1.8.1-9 is there and left alone");
    expect(again.stdout).toContain("Nothing had to be changed");
  });

  test("over HTTPS trusts the config's own CA, and leaves no download behind", async (context) => {
    const scene = await open(context);
    const { url, authority } = await startMirror(context, WHOLE);
    const refused = await run(scene, from(url));
    expect([refused.code, under(refused.stdout, STEP)]).toEqual([
      1,
      expect.stringMatching(
        /latest\/VERSION could not be fetched: (UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY) /,
      ),
    ]);
    scene.host.write("/etc/ssl/mirror.pem", authority);
    scene.host.write(CONFIG_FILE, "network:\n  ca_bundle: /etc/ssl/mirror.pem\n");
    const { stdout } = await registered(scene, from(url));
    expect(under(stdout, STEP)).toBe(`installed 1.8.1-9 from ${url}`);
    expect(scene.host.read("/var/log/package")).toBe("the agent's package\n");
    expect([...scene.host.snapshot().keys()].filter((path) => path.startsWith("/tmp/idc-helper-"))).toEqual(
      [],
    );
    expect(called(scene).join()).not.toContain(OPERATOR_KEY.secretAccessKey);
  });

  test("goes through the proxy", async (context) => {
    const scene = await open(context);
    const { url, authority } = await startMirror(context, WHOLE);
    const proxy = await startProxy();
    context.onTestFinished(() => proxy.close());
    scene.host.write("/etc/ssl/mirror.pem", authority);
    scene.host.write(CONFIG_FILE, `network:\n  ca_bundle: /etc/ssl/mirror.pem\n  proxy: ${proxy.url}\n`);
    await registered(scene, from(url));
    expect(proxy.asked).toContain(`CONNECT ${new URL(url).host}`);
  });

  test("with --dry-run says what it would install, and installs nothing", async (context) => {
    const scene = await open(context);
    layMirror(scene);
    const before = scene.host.snapshot();
    const { stdout } = await registered(scene, from(MIRROR, ["--dry-run"]));
    expect(under(stdout, STEP)).toBe(`install ${MIRROR}/${PLACE}`);
    expect(under(stdout, "Have the agent run")).toBe("start codedeploy-agent.service, once it is installed");
    expect(differences(before, scene.host.snapshot())).toEqual([]);
    expect([called(scene), changesAtAws(scene)]).toEqual([[], []]);
  });

  test("leaves an agent alone that is there, and shows its version, without asking the source", async (context) => {
    const scene = await open(context, "stopped");
    const { stdout } = await registered(scene, from("/nowhere"));
    expect([under(stdout, STEP), called(scene)]).toEqual(["version 1.8.1-1 is there and left alone", []]);
  });

  test.for([
    ["not JSON", "1.8.1\n"],
    ["a page in its place", "<html>Log in</html>"],
    ["a package from elsewhere", JSON.stringify({ rpm: "../../evil.rpm" })],
    ["no package for this host", JSON.stringify({ msi: "releases/codedeploy-agent.msi" })],
  ] as const)("refuses a VERSION file that is %s", async ([, text], context) => {
    const scene = await open(context);
    scene.host.write(`${MIRROR}/latest/VERSION`, text);
    const { code, stdout } = await run(scene, from(MIRROR));
    expect([code, under(stdout, STEP), called(scene)]).toEqual([
      1,
      `${MIRROR}/latest/VERSION names no rpm package of the CodeDeploy agent See what answers there: a proxy's page, or a mirror that is not laid out as AWS's bucket.`,
      [],
    ]);
    // It comes before anything else is changed.
    expect([changesAtAws(scene), scene.host.services.changes()]).toEqual([[], []]);
  });

  test("says what is not there", async (context) => {
    const scene = await open(context);
    const nowhere = await run(scene, from("/opt/nowhere"));
    expect(under(nowhere.stdout, STEP)).toBe(
      "/opt/nowhere/latest/VERSION cannot be read: ENOENT Give a directory that is laid out as AWS's bucket: latest/VERSION and releases/.",
    );
    const { url, authority } = await startMirror(context, { "/agent/latest/VERSION": VERSION });
    scene.host.write("/etc/ssl/mirror.pem", authority);
    scene.host.write(CONFIG_FILE, "network:\n  ca_bundle: /etc/ssl/mirror.pem\n");
    const { stdout } = await run(scene, from(url));
    expect(under(stdout, STEP)).toBe(
      `${url}/${PLACE} could not be fetched: HTTP 404 Check the firewall for outbound 443 and the proxy; --agent-source names a mirror or a local directory.`,
    );
    expect(called(scene)).toEqual([]);
  });

  test("repeats the package manager's own words where it fails, and a second run completes", async (context) => {
    const scene = await open(context);
    layMirror(scene);
    scene.host.write(`${MIRROR}/${PLACE}`, "something else\n");
    const { code, stdout, stderr } = await run(scene, from(MIRROR));
    expect([code, under(stdout, STEP)]).toEqual([
      1,
      `the agent could not be installed from ${MIRROR}/${PLACE}: Error: not an rpm Install it by hand (it needs ruby from the host's own repositories), and run this again.`,
    ]);
    expect(stderr).toContain("Nothing was changed.");
    layMirror(scene);
    await registered(scene, from(MIRROR));
  });

  test("refuses a file:// URL of another host", async (context) => {
    const scene = await open(context);
    expect(await run(scene, from("file://mirror/agent"))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--agent-source must be an https:// URL"),
    });
  });
});
