/** What systemd and whoever types `systemctl status` hear from the service. No time factor: systemd forbids it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { asRoot } from "../harness/identity.ts";
import { openNotifySocket } from "../harness/notify-socket.ts";
import { environmentOf } from "../harness/processes.ts";
import { openScene, type SceneOptions, type TestContext } from "../harness/scene.ts";

async function openWatched(test: TestContext, options: SceneOptions = {}) {
  const scene = await openScene(test, options);
  const path = join(scene.host.directory, "notify");
  const systemd = openNotifySocket(path);
  test.onTestFinished(async () => systemd.close());
  const start = (env: NodeJS.ProcessEnv = {}) => {
    // A service's config must be root's; in a user namespace a developer's own counts as that.
    return scene.host.startRun(
      { IDC_HELPER_TIME_FACTOR: "", NOTIFY_SOCKET: path, ...env },
      { prefix: asRoot },
    );
  };
  return { ...scene, systemd, start };
}

describe.concurrent("systemd hears", () => {
  it("READY after the first refresh, then a STATUS that says until when the credentials last", async (test) => {
    const { systemd, start, host } = await openWatched(test);
    start();
    await systemd.waitFor(/^READY=1$/);
    test.expect(readFileSync(host.credentialsFile, "utf8")).toContain("aws_session_token");
    await systemd.waitFor(
      /^STATUS=Credentials last until \d\d:\d\d:\d\d \((1 h|59 min).*\), next refresh \d\d:\d\d:\d\d/,
    );
  });

  it("READY after a first refresh that failed, and a STATUS that names the cause", async (test) => {
    const { systemd, start, emulator } = await openWatched(test);
    emulator.faults.set({ kind: "deny" });
    start();
    await systemd.waitFor(/^READY=1$/);
    await systemd.waitFor(/^STATUS=No credentials yet; refresh failing \(denied\): .*; next attempt \d\d:/);
  });

  it("WATCHDOG pings at least twice in the time it gives, also while a refresh hangs", async (test) => {
    const { systemd, start, emulator } = await openWatched(test);
    emulator.faults.set({ kind: "hang" });
    const run = start({ WATCHDOG_USEC: "400000" });
    await emulator.requests.waitFor(({ fault }) => fault === "hang");
    const pings = () => systemd.messages().filter((message) => message.includes("WATCHDOG=1")).length;
    const before = pings();
    for (let n = 1; n <= 4; n += 1) await systemd.waitFor(/^WATCHDOG=1$/, systemd.messages().length);
    test.expect(pings()).toBeGreaterThanOrEqual(before + 4);
    test.expect(systemd.messages().join()).not.toContain("READY");
    await run.kill();
  });

  it("nothing of a watchdog that watches another process", async (test) => {
    const { systemd, start } = await openWatched(test);
    start({ WATCHDOG_USEC: "100000", WATCHDOG_PID: "1" });
    await systemd.waitFor(/^STATUS=Credentials last/);
    const counted = systemd.messages().filter((message) => message.includes("WATCHDOG=1")).length;
    test.expect(counted).toBeLessThan(20);
  });

  it("RELOADING with its time on SIGHUP, and READY when that is over", async (test) => {
    const { systemd, start } = await openWatched(test);
    const run = start();
    await systemd.waitFor(/^READY=1$/);
    const before = systemd.messages().length;
    process.kill(run.pid, "SIGHUP");
    const reloading = await systemd.waitFor(/^RELOADING=1$/, before);
    test.expect(reloading).toMatch(/^MONOTONIC_USEC=\d+$/m);
    await systemd.waitFor(/^READY=1$/, systemd.messages().indexOf(reloading, before));
    await run.waitForLog("config_reloaded");
  });

  it("STOPPING on SIGTERM", async (test) => {
    const { systemd, start } = await openWatched(test);
    const run = start();
    await systemd.waitFor(/^READY=1$/);
    test.expect(await run.stop()).toBe(0);
    await systemd.waitFor(/^STOPPING=1$/);
  });

  it("no child: the socket is taken out of their environment", async (test) => {
    const { systemd, start, emulator } = await openWatched(test);
    emulator.faults.set({ kind: "slow", delayMs: 2_000 });
    const run = start();
    await emulator.requests.waitFor(() => true);
    const [child] = readFileSync(`/proc/${run.pid}/task/${run.pid}/children`, "utf8").trim().split(" ");
    const environment = environmentOf(Number(child));
    test.expect(environment).toContain("PATH=");
    test.expect(environment).not.toContain("NOTIFY_SOCKET");
    await systemd.waitFor(/^READY=1$/);
  });

  it("nothing when the test-only time factor is set: the service refuses to start", async (test) => {
    const { systemd, start } = await openWatched(test);
    const run = start({ IDC_HELPER_TIME_FACTOR: "60" });
    const [code] = await new Promise<[number | null]>((resolve) =>
      run.process.once("close", (...end) => resolve([end[0]])),
    );
    test.expect(code).toBe(78);
    test.expect(run.log()).toContain("IDC_HELPER_TIME_FACTOR");
    test.expect(systemd.messages()).toEqual([]);
  });
});
