/** An agent that is not root, or keeps its files elsewhere: register gives our units what that takes. */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BASE_KEY, ROLE_ARN } from "../aws-emulator/emulator.ts";
import { operatorEnv } from "../harness/host-root.ts";
import { type HostScene, openHostScene } from "../harness/host-scene.ts";

const REGISTER = [
  ...["register", "--serial", "serial-ABCDEFG", "--region", "ap-northeast-2"],
  ...["--role-arn", ROLE_ARN, "--tag", "Name=web"],
];
const READERS = "/etc/systemd/system/idc-codedeploy-helper.service.d/50-reader-group.conf";
const WATCH = "/etc/systemd/system/idc-codedeploy-helper-agent.path.d/50-agent-paths.conf";
const REACH = "/etc/systemd/system/idc-codedeploy-helper-agent.service.d/50-agent-paths.conf";

async function register({ host }: HostScene): Promise<string> {
  host.writeBaseCredentials(BASE_KEY);
  const { code, stdout, stderr } = await host.command(REGISTER, { env: operatorEnv() });
  if (code !== 0) throw new Error(stdout + stderr);
  return stdout;
}

/** Systemd runs our unit with the group of the drop-in; here the service's user is a member of it instead. */
function runAgentAsUser({ host }: HostScene): void {
  host.services.override("codedeploy-agent.service", { User: "codedeploy" });
  host.write("/etc/group", host.read("/etc/group").replace(/^(codedeploy:.*:)$/m, "$1idc-helper"));
}

describe.concurrent("register", () => {
  test("hands the credentials to the agent's group where the agent is not root", async (context) => {
    const scene = await openHostScene(context, { agent: "stopped" });
    const { host } = scene;
    runAgentAsUser(scene);
    await register(scene);
    expect(host.read("/etc/idc-codedeploy-helper/config.yaml")).toMatch(
      /^credentials_file:\n {2}group: codedeploy$/m,
    );
    expect(host.read(READERS)).toContain("[Service]\nGroup=codedeploy\nSupplementaryGroups=idc-helper\n");
    expect(host.services.changes()[0]).toBe("daemon-reload");
    await host.command(["deregister", "--yes"], { env: operatorEnv() });
    expect(existsSync(host.path(READERS))).toBe(false);
  });

  test("keeps a section of the config that is there, and its comments", async (context) => {
    const scene = await openHostScene(context, { agent: "stopped" });
    const { host } = scene;
    runAgentAsUser(scene);
    host.write(
      "/etc/idc-codedeploy-helper/config.yaml",
      "credentials_file:  # ours\n    profile: default # kept\n",
    );
    await register(scene);
    expect(host.read("/etc/idc-codedeploy-helper/config.yaml")).toMatch(
      /^credentials_file: {2}# ours\n {4}group: codedeploy\n {4}profile: default # kept$/m,
    );
  });

  test("lets the root oneshot reach an agent's config in an unusual place", async (context) => {
    const scene = await openHostScene(context, { agent: "stopped" });
    const { host } = scene;
    const settings = "/etc/codedeploy-agent/conf/codedeployagent.yml";
    host.write("/opt/agent conf/.keep", "");
    const place = ":on_premises_config_file: /opt/agent conf/on-premises.yml\n";
    host.write(settings, host.read(settings).replace(/^:on_premises_config_file:.*\n/m, "") + place);
    await register(scene);
    expect(host.read(REACH)).toContain('[Service]\nReadWritePaths="-/opt/agent conf"\n');
    expect(host.read(WATCH)).toContain("[Path]\nPathChanged=/opt/agent conf/on-premises.yml\n");
    expect(host.read("/opt/agent conf/on-premises.yml")).toContain("region: ap-northeast-2");
    await host.command(["deregister", "--yes"], { env: operatorEnv() });
    const left = [REACH, WATCH, "/opt/agent conf/on-premises.yml"];
    expect(left.map((path) => existsSync(host.path(path)))).toEqual([false, false, false]);
  });

  test("writes no drop-in where the agent is as it is by default", async (context) => {
    const scene = await openHostScene(context, { agent: "stopped" });
    await register(scene);
    const dropIns = [READERS, REACH, WATCH];
    expect(dropIns.map((path) => existsSync(scene.host.path(path)))).toEqual([false, false, false]);
  });
});
