/** The agent's own settings: where it keeps its things, and how long it may take to read a new file. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type AgentSettings, readAgentSettings } from "../../../src/agent/settings.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();
const AS_SHIPPED: AgentSettings = {
  programName: "codedeploy-agent",
  onPremisesConfigFile: "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml",
  trackingDirectory: "/opt/codedeploy-agent/deployment-root/ongoing-deployment",
  pidFile: "/opt/codedeploy-agent/state/.pid/codedeploy-agent.pid",
  logFile: "/var/log/aws/codedeploy-agent/codedeploy-agent.log",
  pickupWindowMs: 1_680_000,
  proxyUri: null,
  enableAuthPolicy: false,
  deployControlEndpoint: null,
};

async function read(text: string): Promise<AgentSettings | string> {
  writeFileSync(scratch("codedeployagent.yml"), text);
  const reading = await readAgentSettings(scratch("codedeployagent.yml"));
  return "settings" in reading ? reading.settings : reading.unreadable;
}

/** As the agent's package installs it. */
const SHIPPED_FILE = `---
:log_aws_wire: false
:log_dir: '/var/log/aws/codedeploy-agent/'
:pid_dir: '/opt/codedeploy-agent/state/.pid/'
:program_name: codedeploy-agent
:root_dir: '/opt/codedeploy-agent/deployment-root'
:on_premises_config_file: '/etc/codedeploy-agent/conf/codedeploy.onpremises.yml'
:verbose: false
:wait_between_runs: 1
:proxy_uri:
:max_revisions: 5
`;

describe("the settings that the agent is shipped with", () => {
  test("are read from its own file", async () => {
    expect(await read(SHIPPED_FILE)).toEqual(AS_SHIPPED);
  });

  test("are taken where there is no file, or nothing in it", async () => {
    expect(await readAgentSettings(scratch("none.yml"))).toEqual({ settings: AS_SHIPPED });
    expect(await read("")).toEqual(AS_SHIPPED);
    expect(await read("\n\n")).toEqual(AS_SHIPPED);
  });
});

test("everything that an operator moved is followed", async () => {
  const text = `:program_name: my-agent
:root_dir: /data/agent
:ongoing_deployment_tracking: tracking
:pid_dir: /data/pid
:log_dir: /data/log
:on_premises_config_file: "/data/on.yml"
:proxy_uri: http://proxy.example:3128
:enable_auth_policy: true
:deploy_control_endpoint: https://vpce-1.codedeploy-commands.ap-northeast-2.vpce.amazonaws.com
`;
  expect(await read(text)).toEqual({
    programName: "my-agent",
    onPremisesConfigFile: "/data/on.yml",
    trackingDirectory: "/data/agent/tracking",
    pidFile: "/data/pid/my-agent.pid",
    logFile: "/data/log/my-agent.log",
    pickupWindowMs: 1_680_000,
    proxyUri: "http://proxy.example:3128",
    enableAuthPolicy: true,
    deployControlEndpoint: "https://vpce-1.codedeploy-commands.ap-northeast-2.vpce.amazonaws.com",
  });
});

test("keys without a colon are not the agent's, and change nothing", async () => {
  expect(await read("root_dir: /data\nprogram_name: x\n")).toEqual(AS_SHIPPED);
});

describe("the pickup window follows the agent's timings, in seconds", () => {
  test.each([
    [":http_read_timeout: 80", 1_680],
    [":http_read_timeout: 200", 1_800],
    [":wait_between_runs: 30", 1_680],
    [":wait_between_runs: 300", 1_890],
    [":wait_after_error: 600", 2_190],
    [":http_read_timeout: '120'", 1_720],
    [":http_read_timeout: never", 1_680],
    [":http_read_timeout: -5", 1_680],
    [":http_read_timeout:", 1_680],
    [":wait_between_runs: .inf", 1_680],
  ])("%s", async (line, seconds) => {
    expect(await read(`${line}\n`)).toMatchObject({ pickupWindowMs: seconds * 1_000 });
  });
});

describe("what cannot be read is unknown, not the defaults: the wrong file must not be mended", () => {
  test.each([
    ["a list", "- a\n"],
    ["a text", "hello\n"],
    ["broken YAML", ":a: [\n"],
    ["a key written twice", ":a: 1\n:a: 2\n"],
  ])("%s", async (_, text) => {
    expect(await read(text)).toContain(scratch("codedeployagent.yml"));
  });

  test("a directory, and a file that is far too large", async () => {
    mkdirSync(scratch("directory"));
    expect(await readAgentSettings(scratch("directory"))).toHaveProperty("unreadable");
    expect(await read(`# ${"x".repeat(300_000)}\n`)).toContain("cannot be read");
  });
});

test("a link, as configuration management makes them, is followed", async () => {
  writeFileSync(scratch("real.yml"), ":root_dir: /data\n");
  symlinkSync("real.yml", scratch("link.yml"));
  const reading = await readAgentSettings(scratch("link.yml"));
  expect(reading).toMatchObject({ settings: { trackingDirectory: "/data/ongoing-deployment" } });
});
