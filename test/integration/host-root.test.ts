/** The scratch host that the tests of register, adopt, deregister and doctor stand on: is it sound itself? */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { DMI } from "../harness/host-root/layout.ts";
import {
  AGENT,
  CREDENTIALS_FILE,
  differences,
  HELPER,
  ON_PREMISES_CONFIG_FILE,
  REQUESTS,
} from "../harness/host-root.ts";
import { openHostScene } from "../harness/host-scene.ts";
import { isRoot } from "../harness/identity.ts";
import { isRunning } from "../harness/processes.ts";
import { SERIAL, SESSION_ARN } from "../harness/scratch-host.ts";
import { plain } from "../harness/terminal.ts";

const OPENER = fileURLToPath(new URL("host-root-opener.ts", import.meta.url));

describe.concurrent("the scratch host", () => {
  it("shows a command its own files and accounts, and root's view of them", async (test) => {
    const { host } = await openHostScene(test);
    host.write("/etc/only-here", "seen\n");
    const script =
      "cat /etc/only-here /sys/class/dmi/id/product_serial; id -u; pwd; getent passwd idc-helper";
    const { code, stdout, stderr } = await host.runProgram("sh", ["-c", script]);
    test.expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [seen, serial, userId, directory, account] = stdout.split("\n");
    test.expect([seen, serial, userId, directory]).toEqual(["seen", DMI.product_serial, "0", "/root"]);
    test.expect(account).toMatch(/^idc-helper:x:\d+:/);
    test.expect(existsSync("/etc/only-here")).toBe(false);
  });

  it("lets a command write as root, and the test read it", async (test) => {
    const { host } = await openHostScene(test);
    await host.runProgram("sh", ["-c", "cat > /etc/cron.d/new; chown idc-helper /etc/cron.d/new"], {
      input: "x\n",
    });
    test.expect(host.read("/etc/cron.d/new")).toBe("x\n");
    test.expect(statSync(host.path("/etc/cron.d/new")).uid).toBe(isRoot ? 64_123 : process.getuid?.());
  });

  it("runs the product, for root and for others", async (test) => {
    const { host } = await openHostScene(test);
    host.writeConfig();
    const checked = await host.command(["check-config", "--json"]);
    test.expect(checked.stderr).toBe("");
    test.expect(JSON.parse(checked.stdout)).toBeTruthy();
    const { stdout } = await host.asUser("deploy").runProgram("id", ["-u"]);
    test.expect(stdout.trim()).toBe(isRoot ? "1000" : "65534");
    test.expect((await host.asUser().command(["version"])).code).toBe(0);
  });

  it("starts the service as systemd does: systemctl returns when there are credentials", async (test) => {
    const { host } = await openHostScene(test);
    host.writeConfig();
    host.writeBaseCredentials();
    const { code, stderr } = await host.runProgram("systemctl", ["enable", "--now", HELPER]);
    test
      .expect({ code, stderr })
      .toMatchObject({ code: 0, stderr: test.expect.stringContaining("Created symlink") });
    test.expect(host.read(CREDENTIALS_FILE)).toContain("aws_session_token");
    const { services } = host;
    test.expect([services.isActive(HELPER), services.isActive(REQUESTS)]).toEqual([true, true]);
    test.expect(services.changes()).toEqual([`enable ${HELPER}`]);
    const shown = await host.runProgram("systemctl", [
      "show",
      "-p",
      "ActiveState,UnitFileState,MainPID",
      HELPER,
    ]);
    test
      .expect(shown.stdout)
      .toBe(`ActiveState=active\nUnitFileState=enabled\nMainPID=${services.helper.mainPid}\n`);
    test.expect(readFileSync(`/proc/${services.helper.mainPid}/cmdline`, "utf8")).toContain("idc-helper");
    await host.waitForStatus(({ agent }) => agent.state === "stopped", "what the root oneshot saw");
    test.expect((await host.runProgram("systemctl", ["stop", HELPER])).code).toBe(0);
    test.expect((await host.runProgram("systemctl", ["is-active", HELPER])).stdout).toBe("inactive\n");
  });

  it("starts the service at a test's own pace", async (test) => {
    const { host } = await openHostScene(test, { timeFactor: 60 });
    host.writeConfig();
    host.writeBaseCredentials();
    await host.services.start(HELPER);
    test.expect(host.status()?.state).toBe("fresh");
  });

  it("answers as systemd does when a unit cannot be started", async (test) => {
    const { host } = await openHostScene(test, { agent: "absent" });
    const systemctl = (...args: string[]) => host.runProgram("systemctl", args);
    test.expect(await systemctl("start", "codedeploy-agent")).toMatchObject({
      code: 5,
      stderr: `Failed to start ${AGENT}: Unit ${AGENT} not found.\n`,
    });
    test
      .expect((await systemctl("show", "--property", "LoadState", "--value", "--", AGENT)).stdout)
      .toBe("not-found\n");
    test.expect((await systemctl("start", HELPER)).code).toBe(0);
    test.expect((await systemctl("is-active", HELPER)).code).toBe(3);
    host.write("/etc/idc-codedeploy-helper/config.yaml", "serial: [\n");
    test.expect(await systemctl("start", HELPER)).toMatchObject({
      code: 1,
      stderr: test.expect.stringContaining("the control process exited with error code"),
    });
    test.expect((await systemctl("is-failed", HELPER)).stdout).toBe("failed\n");
    await systemctl("mask", HELPER);
    test.expect((await systemctl("start", HELPER)).stderr).toContain("is masked");
  });

  it("runs the agent at its real places: it polls, and a reload gives it a new worker", async (test) => {
    const { host, emulator } = await openHostScene(test, { agentTimeFactor: 60 });
    emulator.instances.put({ name: SERIAL, region: "ap-northeast-2", iamSessionArn: SESSION_ARN });
    host.writeConfig();
    host.writeBaseCredentials();
    await host.services.start(HELPER);
    await host.waitForStatus(({ agent }) => agent.config_match === "repaired", "the agent's config");
    test.expect(host.read(ON_PREMISES_CONFIG_FILE)).toContain(SESSION_ARN);
    const agent = await host.services.startAgent();
    await agent.waitForTrace("poll_ok");
    const before = agent.trace().length;
    test.expect((await host.runProgram("systemctl", ["reload", AGENT])).code).toBe(0);
    await agent.waitForTrace("shutdown", before);
    await agent.waitForTrace("poll_ok", before);
  });

  it("gives a command a real terminal, as wide as asked, and types at it", async (test) => {
    const { host } = await openHostScene(test);
    const script = 'stty size; test -t 0 && printf "name? "; read -r name; echo "hello $name"; read -r again';
    const terminal = host.terminal(["-c", script], { program: "sh", columns: 60 });
    await terminal.expect("40 60");
    await terminal.expect("name? ");
    terminal.answer("there");
    await terminal.expect(/^hello there$/m);
    terminal.press("ctrl-c");
    const { code, output } = await terminal.result;
    test.expect(code).toBe(130);
    test.expect(plain(output)).toContain("hello there\n^C");
  });

  it("tells what a command has changed", async (test) => {
    const { host } = await openHostScene(test);
    const before = host.snapshot();
    const script =
      "echo 1 >/etc/new; chmod 600 /etc/hosts; rm /etc/crontab; chown idc-helper:root /etc/group";
    await host.runProgram("sh", ["-c", script]);
    const after = host.snapshot();
    test
      .expect(differences(before, after))
      .toEqual(["- /etc/crontab", ...(isRoot ? ["~ /etc/group"] : []), "~ /etc/hosts", "+ /etc/new"]);
    test.expect(after.get("/etc/new")).toBe("0644 root:root\n1\n");
    test.expect(differences(after, host.snapshot())).toEqual([]);
  });

  it("ends with the tests that opened it, even when they are killed", async (test) => {
    const { host, emulator } = await openHostScene(test, { agent: "absent" });
    const killed = spawn(process.execPath, [OPENER, emulator.url], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(killed.stdout.setEncoding("utf8"), "data");
    const { directory, pids } = JSON.parse(line) as { directory: string; pids: number[] };
    test.onTestFinished(async () => rmSync(directory, { recursive: true, force: true }));
    test.expect(pids.length).toBeGreaterThanOrEqual(3);
    test.expect(host.processes().filter((pid) => pids.includes(pid))).toEqual([]);
    killed.kill("SIGKILL");
    await eventually(
      () => !pids.some(isRunning),
      () => `still there: ${pids.filter(isRunning)}`,
    );
  });

  it("leaves nothing behind: no process, no mount, no file", async (test) => {
    const { host } = await openHostScene(test);
    host.writeConfig();
    host.writeBaseCredentials();
    await host.services.start(HELPER);
    await host.services.startAgent();
    const stray = host.startProgram("sleep", ["600"]);
    const forgotten = host.terminal(["-c", "echo waiting; read -r answer"], { program: "sh" });
    await forgotten.expect("waiting");
    await eventually(
      () => host.processes().includes(stray.pid),
      () => "the stray process is not on the host",
    );
    const pids = host.processes();
    test.expect(pids.length).toBeGreaterThanOrEqual(3);
    test.expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(host.directory);
    await host.close();
    test.expect([...pids, forgotten.pid].filter(isRunning)).toEqual([]);
    test.expect(existsSync(host.directory)).toBe(false);
  });
});
