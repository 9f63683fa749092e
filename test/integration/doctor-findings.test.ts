/**
 * `idc-helper doctor` on a host where one thing at a time is broken: the check that is there for it says so, with the
 * command that mends it. One host for all of them; what a test breaks, it puts back.
 */
import { chmodSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { OPERATOR_KEY, ROLE_ARN } from "../aws-emulator/emulator.ts";
import { createAuthority, issueServerCertificate } from "../harness/certificates.ts";
import {
  AGENT,
  CONFIG_FILE,
  CREDENTIALS_FILE,
  HELPER,
  type HostCommandOptions,
  ON_PREMISES_CONFIG_FILE,
  REQUESTS,
} from "../harness/host-root.ts";
import { isRoot } from "../harness/identity.ts";
import { SERIAL, SESSION_ARN } from "../harness/scratch-host.ts";
import {
  type Answer,
  type HealthyHost,
  openHealthyHost,
  REGION,
  registerInAws,
  SETTINGS_FILE,
  TRACKING,
  writeRegistration,
} from "./doctor-host.ts";

const OTHER_CONFIG = "/etc/idc-codedeploy-helper/other.yaml";
const OTHER_SETTINGS = "/etc/codedeploy-agent/conf/other.yml";
const OTHER_BASE = "/etc/idc-codedeploy-helper/other-base";
const OTHER_CREDENTIALS = "/var/lib/idc-codedeploy-helper/other";
/** Nothing listens there. */
const NOWHERE = "https://127.0.0.1:9";

let scene: HealthyHost;
const ends: (() => Promise<void>)[] = [];
beforeAll(async () => {
  scene = await openHealthyHost({ onTestFinished: (end) => void ends.push(end) });
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

/** A configuration beside the real one, so that the running service is not disturbed. */
function examineWith(more: string, options: HostCommandOptions = {}, head = {}): Promise<Answer> {
  const { serial, region, role } = { serial: SERIAL, region: REGION, role: ROLE_ARN, ...head };
  scene.host.write(OTHER_CONFIG, `serial: ${serial}\nregion: ${region}\nrole_arn: ${role}\n${more}`);
  const { AWS_ENDPOINT_URL_S3 = scene.emulator.url } = options.env ?? {};
  return scene.doctor(["--config", OTHER_CONFIG], {
    ...options,
    env: { ...options.env, AWS_ENDPOINT_URL_S3 },
  });
}

/** The agent's settings, beside the real ones. */
function examineWithSettings(change: (settings: string) => string): Promise<Answer> {
  scene.host.write(OTHER_SETTINGS, change(scene.host.read(SETTINGS_FILE)));
  return examineWith(`agent: { settings_file: ${OTHER_SETTINGS} }\n`);
}

/** For one test, what systemd says of a unit. */
function override(unit: string, properties: Record<string, string>): void {
  const { services } = scene.host;
  const before = new Map(services.overrides(unit));
  services.override(unit, properties);
  onTestFinished(() => {
    (services.overrides(unit) as Map<string, string>).clear();
    services.override(unit, Object.fromEntries(before));
  });
}

/** For one test, another content. */
function rewrite(path: string, change: (text: string) => string): void {
  const { host } = scene;
  const before = host.read(path);
  host.write(path, change(before));
  onTestFinished(() => host.write(path, before));
}

function expectFinding(
  answer: Answer,
  id: string,
  { state, seen, mend }: { state: string; seen: RegExp; mend: RegExp },
): void {
  const check = answer.check(id);
  expect(`${check.state}: ${check.seen}`).toMatch(new RegExp(`^${state}: `));
  expect(check.seen).toMatch(seen);
  expect(check.mend.join("\n")).toMatch(mend);
  expect(answer.code).toBe(state === "fail" || Object.values(answer.troubles).includes("fail") ? 2 : 1);
}

describe("the configuration", () => {
  it("wrong: the line is named, and what needs it is not checked instead of failing, too", async () => {
    const answer = await examineWith("session_duration: for ever\n");
    expectFinding(answer, "config.valid", {
      state: "fail",
      seen: /other\.yaml:4: session_duration/,
      mend: /check-config --config/,
    });
    expect(Object.values(answer.troubles).filter((state) => state === "fail")).toEqual(["fail"]);
    expect(answer.check("base.valid").seen).toBe("not checked: the configuration is wrong");
  });

  it("a key that nobody knows", async () => {
    const answer = await examineWith("colour: blue\n");
    expectFinding(answer, "config.keys", { state: "warn", seen: /line 4: colour/, mend: /check-config/ });
  });

  it("a file that everyone may write, which the service refuses", async () => {
    chmodSync(scene.host.path(CONFIG_FILE), 0o666);
    onTestFinished(() => chmodSync(scene.host.path(CONFIG_FILE), 0o644));
    const answer = await scene.doctor();
    expectFinding(answer, "config.trusted", {
      state: "fail",
      seen: /written by everyone/,
      mend: /^chmod 0644 \/etc\/idc-codedeploy-helper\/config\.yaml$/m,
    });
  });
});

describe("the service", () => {
  it("not enabled", async () => {
    override(HELPER, { UnitFileState: "disabled" });
    const answer = await scene.doctor();
    expectFinding(answer, "service.enabled", { state: "fail", seen: /disabled/, mend: /^systemctl enable/ });
  });

  it("masked", async () => {
    override(HELPER, { LoadState: "masked", UnitFileState: "masked" });
    const answer = await scene.doctor();
    expectFinding(answer, "service.enabled", { state: "fail", seen: /masked/, mend: /^systemctl unmask/ });
  });

  it("in a loop of restarts", async () => {
    override(HELPER, {
      ActiveState: "activating",
      SubState: "auto-restart",
      NRestarts: "412",
      Result: "exit-code",
    });
    const answer = await scene.doctor();
    expectFinding(answer, "service.active", { state: "fail", seen: /412 times/, mend: /^journalctl -u/ });
  });

  it("failed", async () => {
    override(HELPER, { ActiveState: "failed", Result: "exit-code", ExecMainStatus: "78" });
    const answer = await scene.doctor();
    expectFinding(answer, "service.active", {
      state: "fail",
      seen: /exit status 78/,
      mend: /^systemctl start/,
    });
  });

  it("its path unit failed, so that root never hears of a request", async () => {
    override(REQUESTS, { ActiveState: "failed" });
    const answer = await scene.doctor();
    expectFinding(answer, "service.path", {
      state: "fail",
      seen: /failed/,
      mend: /^systemctl reset-failed idc-codedeploy-helper-agent\.path\nsystemctl start/,
    });
  });

  it("running, and silent for an hour", async () => {
    const longAgo = new Date(Date.now() - 3_600_000).toISOString();
    rewrite("/run/idc-codedeploy-helper/status.json", (text) => {
      return JSON.stringify({ ...JSON.parse(text), updated_at: longAgo, next_refresh_at: longAgo });
    });
    const answer = await scene.doctor();
    expectFinding(answer, "service.status", { state: "fail", seen: /has not reported since/, mend: /./ });
  });
});

describe("the way to AWS", () => {
  it("a proxy in this shell that the service does not have", async () => {
    const answer = await scene.doctor([], { env: { HTTPS_PROXY: "http://u:pa55word@proxy.example:3128" } });
    expectFinding(answer, "network.proxy", {
      state: "warn",
      seen: /this shell goes through http:\/\/proxy\.example:3128/,
      mend: /systemctl reload idc-codedeploy-helper/,
    });
    expect(JSON.stringify(answer)).not.toContain("pa55word");
  });

  it("a CA bundle that is none", async () => {
    const answer = await examineWith("network: { ca_bundle: /etc/hosts }\n");
    expectFinding(answer, "network.proxy", { state: "fail", seen: /ca_bundle/, mend: /check-config/ });
    expect(answer.check("network.sts").seen).toMatch(/^not checked: the proxy, the CAs/);
  });

  it("a name that does not resolve; what needs it is not tried", async () => {
    const answer = await examineWith("", { env: { AWS_ENDPOINT_URL_S3: "https://s3.invalid" } });
    expectFinding(answer, "network.names", {
      state: "fail",
      seen: /^s3\.invalid does not/,
      mend: /^getent ahosts s3\.invalid$/,
    });
    expect(answer.check("network.s3").seen).toBe("not checked: s3.invalid does not resolve");
  });

  it("the proxy's own name that does not resolve", async () => {
    const answer = await examineWith('network: { proxy: "http://proxy.invalid:3128" }\n');
    expectFinding(answer, "network.names", {
      state: "fail",
      seen: /^the proxy's name proxy\.invalid/,
      mend: /^getent ahosts proxy\.invalid$/,
    });
  });

  const blocked = [
    { id: "network.sts", state: "fail", examined: () => examineWith(`endpoints: { sts: "${NOWHERE}" }\n`) },
    {
      id: "network.codedeploy",
      state: "warn",
      examined: () => examineWith(`endpoints: { codedeploy: "${NOWHERE}" }\n`),
    },
    {
      id: "network.commands",
      state: "fail",
      examined: () =>
        examineWithSettings((text) => text.replace(/^(:deploy_control_endpoint:).*$/m, `$1 ${NOWHERE}`)),
    },
    {
      id: "network.s3",
      state: "fail",
      examined: () => examineWith("", { env: { AWS_ENDPOINT_URL_S3: NOWHERE } }),
    },
  ];
  it.for(blocked)("$id that a firewall keeps us from", async ({ id, state, examined }) => {
    const answer = await examined();
    expectFinding(answer, id, {
      state,
      seen: /127\.0\.0\.1:9 .*ECONNREFUSED/,
      mend: /^curl .*127\.0\.0\.1:9/,
    });
  });

  it("a proxy that looks inside: who signed its certificate is named, trusted or not", async () => {
    const authority = createAuthority("Example Corp Inspection CA");
    const server = createServer(issueServerCertificate(authority, { hosts: ["127.0.0.1"] }), (_, answer) =>
      answer.end(),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const sts = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const refused = await examineWith(`endpoints: { sts: "${sts}" }\n`);
    expectFinding(refused, "network.sts", {
      state: "fail",
      seen: /UNABLE_TO_VERIFY.*issued by "Example Corp Inspection CA"/,
      mend: /^curl/,
    });
    expect(refused.check("base.valid").seen).toBe("not checked: STS cannot be reached");
    scene.host.write("/etc/company-ca.pem", authority.cert);
    const more = `endpoints: { sts: "${sts}" }\nnetwork: { ca_bundle: /etc/company-ca.pem }\n`;
    expect((await examineWith(more)).check("network.sts")).toMatchObject({
      state: "pass",
      seen: expect.stringContaining('issued by "Example Corp Inspection CA"'),
    });
  });

  it("a host that takes the connection and never answers: it ends in time all the same", async () => {
    const { id } = scene.emulator.faults.set({ match: { service: "sts" }, kind: "hang" });
    onTestFinished(() => void scene.emulator.faults.clear(id));
    const answer = await examineWith("network: { connect_timeout: 1s, request_timeout: 1s }\n");
    expectFinding(answer, "network.sts", { state: "fail", seen: /did not answer .* in time/, mend: /curl/ });
  });
});

describe("the base credentials", () => {
  const useBase = `base_credentials: { file: ${OTHER_BASE} }\n`;
  const key = (id: string, secret: string) =>
    `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`;
  const writeBase = (text: string, mode = 0o640) =>
    scene.host.write(OTHER_BASE, text, { mode, group: "idc-helper" });
  const sameKey = () => scene.host.read("/etc/idc-codedeploy-helper/base-credentials");

  it("not there", async () => {
    const answer = await examineWith("base_credentials: { file: /etc/nothing }\n");
    expectFinding(answer, "base.present", {
      state: "fail",
      seen: /\/etc\/nothing .*does not exist/,
      mend: /^install -o root -g idc-helper -m 0640 \/dev\/stdin \/etc\/nothing$/,
    });
    expect(answer.check("base.valid").seen).toBe("not checked: there are no usable base credentials");
  });

  it("readable by everyone", async () => {
    writeBase(sameKey(), 0o644);
    const answer = await examineWith(useBase);
    expectFinding(answer, "base.mode", { state: "fail", seen: /everyone/, mend: /^chmod 0640/m });
  });

  it("a key that AWS does not know; its secret is nowhere in the answer", async () => {
    writeBase(key("AKIANOBODYKNOWSTHIS1", "wrong/secret+of/nobody/0123456789abcdefg"));
    const answer = await examineWith(useBase);
    expectFinding(answer, "base.valid", { state: "fail", seen: /does not accept/, mend: /^install/ });
    expect(answer.check("base.assume-role").seen).toMatch(/^not checked: AWS does not accept/);
    expect(JSON.stringify(answer)).not.toContain("wrong/secret");
  });

  it("a key that was put there a hundred days ago", async () => {
    writeBase(sameKey());
    const then = new Date(Date.now() - 100 * 86_400_000);
    utimesSync(scene.host.path(OTHER_BASE), then, then);
    const answer = await examineWith(useBase);
    expectFinding(answer, "base.age", { state: "warn", seen: /100 days ago/, mend: /idc-helper refresh/ });
  });

  it("a key with an operator's rights: told with --deep, and tried with nothing less", async () => {
    writeBase(key(OPERATOR_KEY.accessKeyId, OPERATOR_KEY.secretAccessKey));
    scene.host.write(OTHER_CONFIG, `${scene.host.read(CONFIG_FILE)}${useBase}`);
    scene.emulator.requests.clear();
    const shallow = await scene.doctor(["--config", OTHER_CONFIG]);
    expect(shallow.check("base.rights")).toMatchObject({ state: "unknown" });
    expect(shallow.check("base.rights").mend.join()).toContain("doctor --deep");
    expect(scene.emulator.requests.list().filter(({ action }) => /List/.test(action))).toEqual([]);
    const answer = await scene.doctor(["--deep", "--config", OTHER_CONFIG]);
    expectFinding(answer, "base.rights", {
      state: "warn",
      seen: /codedeploy:ListOnPremisesInstances/,
      mend: /^idc-helper iam --only base$/,
    });
  });

  it("a role that they may not assume", async () => {
    const answer = await examineWith("", {}, { role: "arn:aws:iam::123456789012:role/Other" });
    expectFinding(answer, "base.assume-role", {
      state: "fail",
      seen: /denies AssumeRole/,
      mend: /^idc-helper iam --only trust$/m,
    });
  });

  it("a session longer than the role allows", async () => {
    const answer = await examineWith("session_duration: 12h\n");
    expectFinding(answer, "base.assume-role", {
      state: "warn",
      seen: /does not allow the 12 h/,
      mend: /--max-session-duration 43200$/,
    });
  });
});

describe("the credentials file", () => {
  const useFile = `credentials_file: { path: ${OTHER_CREDENTIALS} }\n`;
  const writeFile = (text: string, mode = 0o600) =>
    scene.host.write(OTHER_CREDENTIALS, text, { mode, owner: "idc-helper" });

  it("not there", async () => {
    const answer = await examineWith("credentials_file: { path: /var/lib/idc-codedeploy-helper/none }\n");
    expectFinding(answer, "credentials.fresh", {
      state: "fail",
      seen: /does not exist/,
      mend: /^idc-helper refresh/,
    });
  });

  it("written by somebody else", async () => {
    writeFile("[default]\naws_access_key_id = ASIA\n");
    const answer = await examineWith(useFile);
    expectFinding(answer, "credentials.fresh", { state: "fail", seen: /somebody else/, mend: /cron/ });
  });

  it("readable by everyone", async () => {
    writeFile("", 0o644);
    const answer = await examineWith(useFile);
    expectFinding(answer, "credentials.mode", { state: "fail", seen: /everyone/, mend: /^chmod 0600/ });
  });

  it("an agent that runs as a user who may not read it", async () => {
    override(AGENT, { ActiveState: "inactive", MainPID: "0", User: "codedeploy" });
    const answer = await scene.doctor();
    // In a user namespace that user is root by another name.
    expect(answer.check("credentials.readable").state).toBe(isRoot ? "fail" : "pass");
    expect(answer.check("credentials.readable").seen).toContain("codedeploy");
  });

  it("an agent that reads another profile", async () => {
    const answer = await examineWith("credentials_file: { profile: other }\n");
    expectFinding(answer, "credentials.profile", {
      state: "fail",
      seen: /the agent reads default/,
      mend: /systemctl reload/,
    });
  });

  it("an agent whose SDK takes it for its own default file", async () => {
    const Environment = `AWS_SHARED_CREDENTIALS_FILE=${CREDENTIALS_FILE}`;
    override(AGENT, { ActiveState: "inactive", MainPID: "0", Environment });
    const answer = await scene.doctor();
    expectFinding(answer, "credentials.path", {
      state: "fail",
      seen: /AWS_SHARED_CREDENTIALS_FILE/,
      mend: /systemctl daemon-reload/,
    });
  });

  it("a link, which is not followed: whoever laid it would choose what root opens", async () => {
    const target = scene.host.path("/root/somebody-elses");
    writeFileSync(target, "[default]\naws_access_key_id = ASIA\n");
    const link = scene.host.path(OTHER_CREDENTIALS);
    rmSync(link, { force: true });
    symlinkSync("/root/somebody-elses", link);
    const answer = await examineWith(useFile);
    rmSync(link);
    expectFinding(answer, "credentials.values", { state: "unknown", seen: /is a symbolic link/, mend: /^$/ });
  });

  it("a token in quotes, which is not shown", async () => {
    writeFile(
      '[default]\naws_access_key_id = ASIA\naws_secret_access_key = s3cr3t\naws_session_token = "t0k3n=="\n',
    );
    const answer = await examineWith(useFile);
    expectFinding(answer, "credentials.values", {
      state: "fail",
      seen: /aws_session_token of profile default has quotes/,
      mend: /^idc-helper refresh/,
    });
    expect(JSON.stringify(answer)).not.toMatch(/s3cr3t|t0k3n/);
  });
});

describe("the agent", () => {
  it("not installed", async () => {
    rewrite("/opt/codedeploy-agent/.version", () => "");
    scene.host.write(OTHER_SETTINGS, ":pid_dir: /nowhere\n");
    const other = `agent: { service: no-such-agent.service, settings_file: ${OTHER_SETTINGS} }\n`;
    const answer = await examineWith(other);
    expectFinding(answer, "agent.installed", {
      state: "fail",
      seen: /not installed/,
      mend: /^idc-helper register .*--install-agent$/,
    });
  });

  it("so old that a reload loses the event in hand", async () => {
    rewrite("/opt/codedeploy-agent/.version", () => "agent_version: OFFICIAL_1.3.2-1902_rpm\n");
    const answer = await scene.doctor();
    expectFinding(answer, "agent.installed", { state: "warn", seen: /1\.3\.2/, mend: /./ });
  });

  it("settings that are no YAML", async () => {
    const answer = await examineWithSettings((text) => `${text}\n:log_dir: [\n`);
    expectFinding(answer, "agent.settings", { state: "fail", seen: /not valid YAML/, mend: /other\.yml/ });
    expect(answer.check("agent.running").seen).toMatch(/^not checked: the agent's settings/);
  });

  it("stopped", async () => {
    override(AGENT, { ActiveState: "inactive", MainPID: "0" });
    const answer = await scene.doctor();
    expectFinding(answer, "agent.running", { state: "fail", seen: /stopped/, mend: /^systemctl start/ });
    expect(answer.check("agent.loaded").seen).toBe("not checked: the agent has no worker");
  });

  it("running on a config from before its last change", async () => {
    const { host } = scene;
    onTestFinished(() => host.command(["sync-agent"]).then(() => undefined));
    // The worker may have started only just now: then a change is too close to its start to tell.
    for (let n = 0; n < 50; n += 1) {
      host.write(ON_PREMISES_CONFIG_FILE, host.read(ON_PREMISES_CONFIG_FILE));
      const answer = await scene.doctor();
      if (answer.check("agent.loaded").state === "pass") continue;
      expectFinding(answer, "agent.loaded", {
        state: "fail",
        seen: /its config was changed at .* started before/,
        mend: /^systemctl reload codedeploy-agent\.service$/,
      });
      return;
    }
    expect.unreachable("the change was never noticed");
  });

  it("without our drop-in", async () => {
    scene.host.services.agent.hasDropIn = false;
    onTestFinished(() => {
      scene.host.services.agent.hasDropIn = true;
    });
    const answer = await scene.doctor();
    expectFinding(answer, "agent.drop-in", {
      state: "warn",
      seen: /no ExecReload=/,
      mend: /^systemctl daemon-reload$/m,
    });
  });

  it("a config that somebody edited: each difference is shown", async () => {
    onTestFinished(() => scene.host.command(["sync-agent"]).then(() => undefined));
    rewrite(ON_PREMISES_CONFIG_FILE, (text) => text.replace(REGION, "us-east-1"));
    const answer = await scene.doctor();
    expectFinding(answer, "agent.config", {
      state: "fail",
      seen: /region is us-east-1, wanted ap-northeast-2/,
      mend: /^idc-helper sync-agent$/,
    });
  });

  it("a proxy that we do not have", async () => {
    const answer = await examineWithSettings((text) =>
      text.replace(/^:proxy_uri:.*$/m, ":proxy_uri: http://who:pa55word@proxy.example:3128"),
    );
    expectFinding(answer, "agent.proxy", {
      state: "warn",
      seen: /the agent goes through http:\/\/proxy\.example:3128, but we/,
      mend: /systemctl reload/,
    });
    expect(JSON.stringify(answer)).not.toContain("pa55word");
  });

  /** A log of its own, which the running agent does not add to. */
  const withLog = (message: string, settings = "") => {
    const time = new Date().toLocaleString("sv-SE").replace(" ", "T");
    scene.host.write(
      "/var/log/other/codedeploy-agent.log",
      `${time} ERROR [codedeploy-agent(7)]: ${message}\n`,
    );
    return examineWithSettings(
      (text) => `${text.replace(/^:log_dir:.*$/m, ":log_dir: /var/log/other")}${settings}`,
    );
  };

  it("an endpoint for which its role lacks the rights", async () => {
    const denied = `AccessDeniedException - User: ${SESSION_ARN} is not authorized to perform: codedeploy-commands-secure:PollHostCommand`;
    const answer = await withLog(denied, ":enable_auth_policy: true\n");
    expectFinding(answer, "agent.auth-policy", {
      state: "fail",
      seen: /codedeploy-commands-secure:PollHostCommand/,
      mend: /^idc-helper iam --auth-policy --only role$/,
    });
  });

  it("expired credentials in its log since the last refresh", async () => {
    const answer = await withLog("Cannot reach InstanceService: ExpiredTokenException");
    expectFinding(answer, "agent.log", {
      state: "fail",
      seen: /ExpiredTokenException/,
      mend: /^systemctl reload codedeploy-agent\.service$/,
    });
  });

  it("a lifecycle event that an earlier worker left over", async () => {
    const path = `${TRACKING}/d-LEFTOVER1`;
    scene.host.write(path, "nobody knows this");
    onTestFinished(() => rmSync(scene.host.path(path)));
    const then = new Date(Date.now() - 3_600_000);
    utimesSync(scene.host.path(path), then, then);
    const answer = await scene.doctor();
    expectFinding(answer, "agent.events", { state: "warn", seen: /d-LEFTOVER1/, mend: /^rm .*d-LEFTOVER1$/ });
  });
});

describe("the host", () => {
  it.for([
    { seconds: 200, state: "warn" },
    { seconds: -200, state: "warn" },
    { seconds: 400, state: "fail" },
  ])("a clock $seconds s off", async ({ seconds, state }) => {
    const { id } = scene.emulator.faults.set({ kind: "clock-wrong", clockAheadSeconds: seconds });
    onTestFinished(() => void scene.emulator.faults.clear(id));
    expectFinding(await scene.doctor(), "host.clock", {
      state,
      seen: seconds > 0 ? /behind AWS/ : /ahead of AWS/,
      mend: /^chronyc makestep$/m,
    });
  });

  it("a clone of the machine that was registered", async () => {
    const uuid = "/sys/class/dmi/id/product_uuid";
    rewrite(uuid, () => "11111111-2222-3333-4444-555555555555\n");
    const answer = await scene.doctor();
    expectFinding(answer, "host.machine", {
      state: "fail",
      seen: /not the one that was registered/,
      mend: /--replace$/m,
    });
  });

  it("what SELinux denies", async () => {
    const path = "/var/log/audit/audit.log";
    const seconds = (Date.now() / 1_000).toFixed(3);
    scene.host.write(
      path,
      `type=AVC msg=audit(${seconds}:91): avc:  denied  { read } for  pid=7 comm="codedeploy-agen" name="credentials" dev="dm-0" ino=9 scontext=system_u:system_r:x_t:s0 tcontext=system_u:object_r:var_lib_t:s0 tclass=file permissive=0\n`,
    );
    onTestFinished(() => rmSync(scene.host.path(path)));
    const answer = await scene.doctor();
    expectFinding(answer, "host.selinux", {
      state: "fail",
      seen: /may not read credentials/,
      mend: /^restorecon/,
    });
  });
});

/** The last ones: the agent, too, notices what AWS says here. */
describe("the registration", () => {
  const restore = () => {
    registerInAws(scene.emulator);
    writeRegistration(scene.host);
  };

  it("begun and never ended", async () => {
    onTestFinished(restore);
    writeRegistration(scene.host, { state: "started" });
    const answer = await scene.doctor();
    expectFinding(answer, "registration.record", {
      state: "fail",
      seen: /did not end/,
      mend: /^idc-helper register --serial serial-ABCDEFG --region ap-northeast-2 --role-arn \S+ --tag Name=web$/,
    });
  });

  it.for([
    { what: "unknown to AWS", changes: null, seen: /knows no serial-ABCDEFG/, mend: /^idc-helper register/ },
    {
      what: "deregistered",
      changes: { deregisteredAt: new Date() },
      seen: /was deregistered at/,
      mend: /^idc-helper register/,
    },
    {
      what: "of another role's session",
      changes: { iamSessionArn: SESSION_ARN.replace("CodeDeployIDC", "Other") },
      seen: /but this host polls as/,
      mend: /^idc-helper deregister$/m,
    },
    {
      what: "of an IAM user",
      changes: { iamSessionArn: null, iamUserArn: "arn:aws:iam::123456789012:user/web" },
      seen: /IAM user/,
      mend: /^idc-helper adopt$/,
    },
  ])("$what", async ({ changes, seen, mend }) => {
    onTestFinished(restore);
    if (changes === null) scene.emulator.instances.remove(REGION, SERIAL);
    else registerInAws(scene.emulator, changes);
    expectFinding(await scene.examine(), "registration.aws", { state: "fail", seen, mend });
  });

  it("without the tags that it was registered with, and without any", async () => {
    onTestFinished(restore);
    registerInAws(scene.emulator, { tags: [] });
    const mend =
      /^aws deploy add-tags-to-on-premises-instances --instance-names serial-ABCDEFG --tags Key=Name/;
    expectFinding(await scene.examine(), "registration.tags", {
      state: "fail",
      seen: /Name=web was given/,
      mend,
    });
    writeRegistration(scene.host, { tags: [] });
    expectFinding(await scene.examine(), "registration.tags", {
      state: "warn",
      seen: /no deployment group can select it/,
      mend,
    });
  });
});
