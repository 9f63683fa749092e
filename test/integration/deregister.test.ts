/** The end of a host's life: `idc-helper deregister`. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BASE_KEY, ROLE_ARN } from "../aws-emulator/emulator.ts";
import { operatorEnv } from "../harness/host-root.ts";
import { type HostScene, openHostScene } from "../harness/host-scene.ts";
import type { TestContext } from "../harness/scene.ts";

const SERIAL = "serial-ABCDEFG";
const REGION = "ap-northeast-2";
const OURS = [
  "/etc/idc-codedeploy-helper/config.yaml",
  "/etc/idc-codedeploy-helper/base-credentials",
  "/etc/idc-codedeploy-helper/registration.json",
  "/var/lib/idc-codedeploy-helper/credentials",
  "/var/lib/idc-codedeploy-helper/refresh.json",
  "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml",
];

async function openRegistered(context: TestContext): Promise<HostScene> {
  const scene = await openHostScene(context, { agent: "stopped" });
  const { host, emulator } = scene;
  host.writeBaseCredentials(BASE_KEY);
  const { code, stdout, stderr } = await host.command(
    ["register", "--serial", SERIAL, "--region", REGION, "--role-arn", ROLE_ARN, "--tag", "Name=web"],
    { env: operatorEnv() },
  );
  if (code !== 0) throw new Error(stdout + stderr);
  emulator.requests.clear();
  host.services.calls.length = 0;
  return scene;
}

const changing = ({ emulator }: HostScene) =>
  emulator.requests
    .list()
    .flatMap(({ action }) => (/^(Add|Remove|Reg|Dereg)/.test(action ?? "") ? [action] : []));

const instanceOf = ({ emulator }: HostScene) => emulator.instances.list().find(({ name }) => name === SERIAL);

const left = ({ host }: HostScene) => OURS.filter((path) => existsSync(host.path(path)));

describe.concurrent("deregister", () => {
  test("stops the service, removes the tags, deregisters and removes what register wrote", async (context) => {
    const scene = await openRegistered(context);
    const { host } = scene;
    const agentPid = host.services.agent.mainPid;
    const { code, stdout, stderr } = await host.command(["deregister", "--yes"], { env: operatorEnv() });
    expect([code, stderr]).toEqual([0, ""]);
    expect(changing(scene)).toEqual(["RemoveTagsFromOnPremisesInstances", "DeregisterOnPremisesInstance"]);
    expect(instanceOf(scene)).toMatchObject({ tags: [], deregisteredAt: expect.any(Date) });
    expect(left(scene)).toEqual([]);
    expect(readdirSync(host.path("/var/lib/idc-codedeploy-helper"))).toEqual([]);
    expect(host.services.isActive("idc-codedeploy-helper.service")).toBe(false);
    expect(host.services.isEnabled("idc-codedeploy-helper.service")).toBe(false);
    expect(stdout).toContain(`${SERIAL} is deregistered. AWS keeps the name taken for hours.`);
    // Its control group may hold what deployments started.
    expect(host.services.agent.mainPid).toBe(agentPid);
    expect(stdout).toContain("codedeploy-agent.service is still running and polls in vain");
  });

  test("removes links and FIFOs that lie in the place of its files, and leaves what a link leads to", async (context) => {
    const scene = await openRegistered(context);
    const { host } = scene;
    writeFileSync(host.path("/root/precious"), "[default]\nprecious = 1\n");
    const state = (name: string) => host.path(`/var/lib/idc-codedeploy-helper/${name}`);
    for (const name of ["credentials", "refresh.json", "run.lock"]) rmSync(state(name), { force: true });
    symlinkSync("/root/precious", state("credentials"));
    symlinkSync("/nowhere", state("refresh.json"));
    execFileSync("mkfifo", [state("run.lock")]);
    const { code, stdout } = await host.command(["deregister", "--yes"], { env: operatorEnv() });
    expect(code, stdout).toBe(0);
    expect(readdirSync(host.path("/var/lib/idc-codedeploy-helper"))).toEqual([]);
    expect(readFileSync(host.path("/root/precious"), "utf8")).toContain("precious = 1");
  });

  test("a second time is success, and changes nothing", async (context) => {
    const scene = await openRegistered(context);
    const { host, emulator } = scene;
    await host.command(["deregister", "--yes"], { env: operatorEnv() });
    emulator.requests.clear();
    const { code, stdout } = await host.command(["deregister", "--yes"], { env: operatorEnv() });
    expect([code, stdout]).toEqual([
      0,
      "This host is not set up: there is no /etc/idc-codedeploy-helper/config.yaml. Nothing had to be done.\n",
    ]);
    // The agent, which is left as it is, polls on.
    expect(changing(scene)).toEqual([]);
  });

  test("--keep-files leaves every file, and a second time is success", async (context) => {
    const scene = await openRegistered(context);
    const { host } = scene;
    const first = await host.command(["deregister", "--yes", "--keep-files"], { env: operatorEnv() });
    expect([first.code, left(scene)]).toEqual([0, OURS]);
    const second = await host.command(["deregister", "--yes", "--keep-files"], { env: operatorEnv() });
    expect([second.code, second.stdout]).toEqual([
      0,
      expect.stringContaining(`Nothing had to be changed: ${SERIAL} is not registered`),
    ]);
    expect(changing(scene)).toHaveLength(2);
  });

  test("--dry-run shows what it would do, and does none of it", async (context) => {
    const scene = await openRegistered(context);
    const { host } = scene;
    const { code, stdout } = await host.command(["deregister", "--dry-run"], { env: operatorEnv() });
    expect(code).toBe(0);
    expect(stdout).toContain("stop and disable idc-codedeploy-helper.service");
    expect(stdout).toContain("remove Name=web");
    for (const path of OURS) expect(stdout).toContain(path);
    expect([changing(scene), left(scene), host.services.changes()]).toEqual([[], OURS, []]);
  });

  test("asks on a terminal, and an answer of no or Ctrl-C leaves everything", async (context) => {
    const scene = await openRegistered(context);
    for (const answer of ["no", "ctrl-c"]) {
      const terminal = scene.host.terminal(["deregister"], { env: operatorEnv() });
      await terminal.expect(`Deregister ${SERIAL}?`);
      if (answer === "no") await terminal.answer("n");
      else await terminal.press("ctrl-c");
      const { code, output } = await terminal.result;
      expect([code, output]).toEqual([1, expect.stringContaining("Nothing was changed")]);
    }
    expect([changing(scene), left(scene), scene.host.services.changes()]).toEqual([[], OURS, []]);
  });

  test("without a terminal and without --yes it says what to add", async (context) => {
    const scene = await openRegistered(context);
    expect(await scene.host.command(["deregister"], { env: operatorEnv() })).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "deregistering asks first, and there is no terminal to ask on: add --yes\n  Such as: idc-helper deregister --yes\n",
    });
  });

  test("a name that is another host's by now is not touched, and nothing is stopped", async (context) => {
    const scene = await openRegistered(context);
    const { host, emulator } = scene;
    const other = "arn:aws:sts::123456789012:assumed-role/Other/serial-ABCDEFG";
    emulator.instances.put({ name: SERIAL, region: REGION, iamSessionArn: other });
    const { code, stdout } = await host.command(["deregister", "--yes"], { env: operatorEnv() });
    expect([code, stdout]).toEqual([1, expect.stringContaining(other)]);
    expect([changing(scene), left(scene), host.services.changes()]).toEqual([[], OURS, []]);
  });

  test("a clone cannot take its twin's name away, but can clean itself up", async (context) => {
    const scene = await openRegistered(context);
    const { host } = scene;
    host.write("/sys/class/dmi/id/product_uuid", "11111111-2222-3333-4444-555555555555\n", { mode: 0o400 });
    const refused = await host.command(["deregister", "--yes"], { env: operatorEnv() });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("--host-only") });
    expect([changing(scene), left(scene)]).toEqual([[], OURS]);
    const { code } = await host.command(["deregister", "--yes", "--host-only"]);
    expect([code, left(scene), changing(scene)]).toEqual([0, [], []]);
    expect(instanceOf(scene)?.deregisteredAt).toBeNull();
  });

  test("a failure in the middle says what was done, and a second run completes", async (context) => {
    const scene = await openRegistered(context);
    const { host, emulator } = scene;
    emulator.faults.set({ match: { action: "DeregisterOnPremisesInstance" }, kind: "throttle", times: 1 });
    const { code, stdout, stderr } = await host.command(["deregister", "--yes"], { env: operatorEnv() });
    expect(code).toBe(1);
    expect(stderr).toContain("Done and kept: remove the instance's tags.");
    expect(stderr).toContain("Not done: stop the service; remove our files; leave the agent as it is.");
    expect(stdout.replace(/\s+/g, " ")).toContain(
      `${SERIAL} is registered without tags, so no deployment reaches it; to take it back into service: idc-helper register --tag Name=web`,
    );
    expect(stderr).toContain("It is safe to run idc-helper deregister again");
    expect((await host.command(["deregister", "--yes"], { env: operatorEnv() })).code).toBe(0);
    expect([left(scene), instanceOf(scene)?.deregisteredAt]).toEqual([[], expect.any(Date)]);
  });

  test.for(["RemoveTagsFromOnPremisesInstances", "DeregisterOnPremisesInstance"])(
    "an operator who may not %s leaves a host that goes on working",
    async (action, context) => {
      const scene = await openRegistered(context);
      const { host, emulator } = scene;
      emulator.faults.set({ match: { action }, kind: "deny" });
      const { code, stdout } = await host.command(["deregister", "--yes"], { env: operatorEnv() });
      expect([code, stdout]).toEqual([1, expect.stringContaining("FAIL")]);
      // The service, its requests and its files: the agent's credentials are still renewed.
      expect([host.services.changes(), left(scene)]).toEqual([[], OURS]);
      expect(host.services.isActive("idc-codedeploy-helper.service")).toBe(true);
      expect(instanceOf(scene)?.deregisteredAt).toBeNull();
    },
  );

  test("copies of the agent's config, which may hold an IAM user's key, are shown and removed", async (context) => {
    const scene = await openRegistered(context);
    const { host } = scene;
    const config = "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml";
    const backup = `${config}.20260102T030405678Z.bak`;
    host.write(backup, "aws_secret_access_key: x\n", { mode: 0o600 });
    host.write(`${config}.mine.bak`, "");
    const plan = await host.command(["deregister", "--dry-run"], { env: operatorEnv() });
    expect(plan.stdout.replace(/\s+/g, " ")).toContain(backup);
    const { code } = await host.command(["deregister", "--yes"], { env: operatorEnv() });
    expect([code, existsSync(host.path(backup)), existsSync(host.path(`${config}.mine.bak`))]).toEqual([
      0,
      false,
      true,
    ]);
  });

  test.for([0, 1, 2, 3, 4, 5, 6])(
    "killed after step %i and run again, it ends as if uninterrupted",
    async (step, context) => {
      const scene = await openRegistered(context);
      const { host } = scene;
      const killed = host.start(["deregister", "--yes"], { env: operatorEnv() });
      const steps = /^ {2}(ok|done|kept|note) /gm;
      killed.process.stdout?.on("data", () => {
        if ((killed.output().match(steps) ?? []).length > step) process.kill(killed.pid, "SIGKILL");
      });
      await killed.result;
      const { code } = await host.command(["deregister", "--yes"], { env: operatorEnv() });
      expect([code, left(scene), instanceOf(scene)]).toEqual([
        0,
        [],
        expect.objectContaining({ tags: [], deregisteredAt: expect.any(Date) }),
      ]);
      expect(host.services.isActive("idc-codedeploy-helper.service")).toBe(false);
    },
  );

  test("what carries requests to root is stopped, also where an earlier run has stopped the service only", async (context) => {
    const scene = await openRegistered(context);
    const { host } = scene;
    const carrier = "idc-codedeploy-helper-agent.path";
    await host.runProgram("systemctl", ["disable", "--now", "idc-codedeploy-helper.service"]);
    expect(host.services.isActive(carrier)).toBe(true);
    const { code } = await host.command(["deregister", "--yes"], { env: operatorEnv() });
    expect([code, host.services.isActive(carrier)]).toEqual([0, false]);
  });

  test("base credentials that lie elsewhere, perhaps among somebody's own, stay", async (context) => {
    const scene = await openRegistered(context);
    const { host } = scene;
    const config = "/etc/idc-codedeploy-helper/config.yaml";
    const elsewhere = "/root/.aws/credentials";
    host.write(elsewhere, host.read("/etc/idc-codedeploy-helper/base-credentials"), { mode: 0o600 });
    host.write(config, `${host.read(config)}base_credentials: { file: ${elsewhere} }\n`);
    const { code, stdout } = await host.command(["deregister", "--yes"], { env: operatorEnv() });
    expect([code, existsSync(host.path(elsewhere))]).toEqual([0, true]);
    expect(stdout).toContain(`The base credentials, ${elsewhere}, do not lie in our own place and are left.`);
  });

  test("waits for no deployment, but lets none down unless it is told to", async (context) => {
    const scene = await openRegistered(context);
    const { host } = scene;
    host.write("/opt/codedeploy-agent/deployment-root/ongoing-deployment/d-ABC123", "");
    const { code, stdout } = await host.command(["deregister", "--yes"], { env: operatorEnv() });
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/a lifecycle event is in progress \(deployment d-ABC123\)/),
    ]);
    expect([changing(scene), left(scene), host.services.changes()]).toEqual([[], OURS, []]);
    const forced = await host.command(["deregister", "--yes", "--force"], { env: operatorEnv() });
    expect([forced.code, left(scene)]).toEqual([0, []]);
  });

  test("other profiles in the credentials file stay", async (context) => {
    const scene = await openRegistered(context);
    const { host } = scene;
    const file = host.path("/var/lib/idc-codedeploy-helper/credentials");
    host.services.stop("idc-codedeploy-helper.service");
    host.write(
      "/var/lib/idc-codedeploy-helper/credentials",
      `[other]\nkey = 1\n\n${readFileSync(file, "utf8")}`,
      { mode: 0o4755 },
    );
    await host.command(["deregister", "--yes"], { env: operatorEnv() });
    expect(readFileSync(file, "utf8")).toBe("[other]\nkey = 1\n\n");
    // Root writes it anew: it must not make a program of what the service's user has put there.
    expect(statSync(file).mode & 0o7777).toBe(0o755);
  });

  test("not as root it says so, and changes nothing", async (context) => {
    const scene = await openRegistered(context);
    const { code, stdout } = await scene.host
      .asUser("deploy")
      .command(["deregister", "--yes"], { env: operatorEnv() });
    expect([code, stdout]).toEqual([1, expect.stringContaining("this command must be run as root")]);
    expect(scene.emulator.requests.list().filter(({ service }) => service === "sts")).toEqual([]);
    expect([changing(scene), left(scene)]).toEqual([[], OURS]);
  });
});
