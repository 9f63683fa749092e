/** What `register` notes of the host: clock, proxies that differ, the secure endpoint, and polls that are refused. */
import { describe, expect, test } from "vitest";
import { CONFIG_FILE } from "../harness/host-root.ts";
import type { HostScene } from "../harness/host-scene.ts";
import { startProxy } from "../harness/proxy.ts";
import {
  changesAtAws,
  openRegisterScene,
  registered,
  run,
  SESSION_ARN,
  stepsOf,
  under,
  WITH_BASE,
} from "./register-scene.ts";

const SETTINGS = "/etc/codedeploy-agent/conf/codedeployagent.yml";
const STEP = "Check the host";

function setAgent({ host }: HostScene, key: string, value: string): void {
  const lines = host.read(SETTINGS).split("\n");
  const others = lines.filter((line) => line !== "" && !line.startsWith(`:${key}:`));
  host.write(SETTINGS, `${others.join("\n")}\n:${key}: ${value}\n`);
}

describe.concurrent("register notes", () => {
  test("a clock that is minutes off, and refuses one that AWS would refuse", async (context) => {
    const scene = await openRegisterScene(context);
    const { faults } = scene.emulator;
    faults.set({ match: {}, kind: "clock-wrong", clockAheadSeconds: 150 });
    const near = await run(scene, [...WITH_BASE, "--dry-run"]);
    expect([near.code, stepsOf(near.stdout)[1]]).toEqual([0, `note ${STEP}`]);
    expect(under(near.stdout, STEP)).toMatch(
      /The clock is 2 min (29|30) s off; from 5 min on AWS refuses every call\.$/,
    );
    faults.clear();
    faults.set({ match: {}, kind: "clock-wrong", clockAheadSeconds: -7_200 });
    const far = await run(scene);
    expect([far.code, under(far.stdout, STEP)]).toEqual([
      1,
      expect.stringMatching(
        /^this host's clock is 2 h( \d+ s)? ahead of AWS's: AWS refuses every call that is more than 5 min off Set the clock and keep it set: chronyc tracking, or timedatectl\.$/,
      ),
    ]);
    faults.clear();
    faults.set({ match: {}, kind: "clock-wrong", clockAheadSeconds: 7_200 });
    expect(under((await run(scene)).stdout, STEP)).toMatch(/^this host's clock is .* behind AWS's: /);
    expect(changesAtAws(scene)).toEqual([]);
  });

  test("proxies of ours and of the agent that differ", async (context) => {
    const scene = await openRegisterScene(context);
    const proxy = await startProxy();
    context.onTestFinished(() => proxy.close());
    const { host } = new URL(proxy.url);
    setAgent(scene, "proxy_uri", "http://user:hunter2@agents.example:3128");
    const theirs = await run(scene, [...WITH_BASE, "--dry-run"]);
    expect(under(theirs.stdout, STEP)).toContain(
      `The agent goes through the proxy agents.example:3128 (:proxy_uri: in ${SETTINGS}), and we do not: set network.proxy.`,
    );
    expect(theirs.stdout).not.toContain("hunter2");
    const both = await run(scene, [...WITH_BASE, "--dry-run"], { env: { HTTPS_PROXY: proxy.url } });
    expect(under(both.stdout, STEP)).toContain(
      `We go through the proxy ${host}, the agent through agents.example:3128 (:proxy_uri: in ${SETTINGS}).`,
    );
    // The service gets nothing of this command's environment.
    expect(both.stdout).toContain(`+  proxy: ${proxy.url}`);
    const secret = { HTTPS_PROXY: proxy.url.replace("//", "//me:hunter2@") };
    const withPassword = await run(scene, [...WITH_BASE, "--dry-run"], { env: secret });
    expect(under(withPassword.stdout, STEP)).toContain(
      `The proxy ${host} is in this command's environment, which the service does not get: it has a password, which has no place in a config that everyone may read, so put HTTPS_PROXY into a drop-in: systemctl edit idc-codedeploy-helper.service.`,
    );
    expect(withPassword.stdout).not.toContain("hunter2");
    setAgent(scene, "proxy_uri", "");
    scene.host.write(CONFIG_FILE, `network: { proxy: "${proxy.url}" }\n`);
    const ours = await run(scene, [...WITH_BASE, "--dry-run"]);
    expect(under(ours.stdout, STEP)).toContain(
      `We go through the proxy ${host}, but the agent would not: set :proxy_uri: in ${SETTINGS}.`,
    );
    setAgent(scene, "proxy_uri", proxy.url);
    const same = await run(scene, [...WITH_BASE, "--dry-run"]);
    expect(stepsOf(same.stdout)[1]).toBe(`ok ${STEP}`);
  });

  test("the secure endpoint, for which the role needs more; and stops waiting when the agent's polls are refused", async (context) => {
    const scene = await openRegisterScene(context);
    setAgent(scene, "enable_auth_policy", "true");
    const { code, stdout, stderr } = await run(scene);
    expect(under(stdout, STEP)).toContain(
      "The agent has :enable_auth_policy: on, so the role needs codedeploy-commands-secure:* as well: idc-helper iam --auth-policy prints the policy.",
    );
    expect([code, stepsOf(stdout).at(-1)]).toEqual([1, "FAIL Read back, and see the agent poll"]);
    expect(under(stdout, "Read back, and see the agent poll")).toMatch(
      /^the agent polls, but AWS has refused \d+ polls in a row: AccessDenied With :enable_auth_policy: on, the role needs codedeploy-commands-secure:\* \(idc-helper iam --auth-policy\)\. Look again with idc-helper doctor; the agent's log is \/var\/log\/aws\/codedeploy-agent\/codedeploy-agent\.log\.$/,
    );
    expect(stderr).toContain("It is safe to run idc-helper register again");
  });

  test("polls that are refused for want of a registration that AWS knows", async (context) => {
    const scene = await openRegisterScene(context);
    scene.emulator.faults.set({ match: { service: "codedeploy-commands" }, kind: "deny" });
    const { code, stdout } = await run(scene);
    expect(code).toBe(1);
    expect(under(stdout, "Read back, and see the agent poll")).toContain(
      `AWS takes polls of registered instances only, and may need a minute to know a new one: see whether it is registered as ${SESSION_ARN}, in this region.`,
    );
    scene.emulator.faults.clear();
    const again = await registered(scene);
    expect(stepsOf(again.stdout).at(-1)).toBe("ok Read back, and see the agent poll");
  });

  test("an agent that reads another profile than we write, before anything is changed", async (context) => {
    const scene = await openRegisterScene(context);
    scene.host.services.agent.env = { AWS_PROFILE: "idc" };
    await scene.host.services.startAgent();
    scene.host.services.calls.length = 0;
    const { code, stdout } = await run(scene);
    expect([code, under(stdout, STEP)]).toEqual([
      1,
      `the CodeDeploy agent reads the profile idc (AWS_PROFILE in its environment), but we write default Write into ${CONFIG_FILE}: credentials_file: { profile: idc }`,
    ]);
    expect([changesAtAws(scene), scene.host.services.changes()]).toEqual([[], []]);
    scene.host.write(CONFIG_FILE, "credentials_file: { profile: idc }\n");
    await registered(scene);
  });

  test("an agent whose settings cannot be read, before anything is changed", async (context) => {
    const scene = await openRegisterScene(context);
    scene.host.write(SETTINGS, ":log_dir: [\n");
    const { code, stdout } = await run(scene);
    expect([code, under(stdout, STEP)]).toEqual([1, expect.stringContaining(SETTINGS)]);
    expect([changesAtAws(scene), scene.host.services.changes()]).toEqual([[], []]);
  });
});
