/** The service as a process: one for a host, ended in good order or not, and what it knows when it comes back. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { childrenOf } from "../harness/processes.ts";
import { openScene, type Scene, type SceneOptions, type TestContext } from "../harness/scene.ts";
import { quietSchedule } from "../harness/schedule.ts";

const FACTOR = 60;

const open = (test: TestContext, { config = "", ...options }: SceneOptions = {}) =>
  openScene(test, { timeFactor: FACTOR, config: config + quietSchedule(FACTOR), ...options });

async function openFresh(test: TestContext, options: SceneOptions = {}) {
  const scene = await open(test, options);
  const run = scene.host.startRun();
  await scene.host.waitForStatus(({ state }) => state === "fresh", "good credentials");
  return { ...scene, run };
}

const assumed = ({ emulator }: Pick<Scene, "emulator">) =>
  emulator.requests.list().filter(({ action }) => action === "AssumeRole").length;

describe.concurrent("the service", () => {
  it("a second one on the same state directory refuses to start and names the first", async (test) => {
    const { host, run } = await openFresh(test);
    const { code, stderr } = await host.start(["run"]).result;
    test.expect(code).toBe(1);
    test.expect(stderr).toContain(`another idc-helper run (process ${run.pid})`);
    test.expect(stderr).toContain(host.stateDir);
  });

  it("lets a refresh under way finish on SIGTERM, and ends with 0", async (test) => {
    const { emulator, host, run } = await openFresh(test);
    const before = readFileSync(host.credentialsFile, "utf8");
    emulator.faults.set({ kind: "slow", delayMs: 1_000 });
    process.kill(run.pid, "SIGUSR2");
    await emulator.requests.waitFor(({ fault }) => fault === "slow");
    test.expect(await run.stop()).toBe(0);
    test.expect(readFileSync(host.credentialsFile, "utf8")).not.toBe(before);
    test.expect(host.status()).toMatchObject({ state: "stopped", last_attempt: { result: "issued" } });
    test.expect(run.lines("stopped")).toHaveLength(1);
  });

  it("ends although a refresh hangs on SIGTERM, and leaves the file as it was", async (test) => {
    const { emulator, host, run } = await openFresh(test, {
      config: "network: { connect_timeout: 1s, request_timeout: 2s }\n",
    });
    const before = readFileSync(host.credentialsFile, "utf8");
    emulator.faults.set({ kind: "hang" });
    process.kill(run.pid, "SIGUSR2");
    await emulator.requests.waitFor(({ fault }) => fault === "hang");
    test.expect(await run.stop()).toBe(0);
    test.expect(readFileSync(host.credentialsFile, "utf8")).toBe(before);
    test.expect(host.status()?.state).toBe("stopped");
  });

  it("killed and started again while the credentials are fresh, it asks AWS for nothing", async (test) => {
    const { emulator, host, run } = await openFresh(test);
    const issued = host.record()?.issuedAt;
    await run.kill();
    const again = host.startRun();
    const status = await host.waitForStatus(
      ({ pid, state }) => pid === again.pid && state === "fresh",
      "fresh",
    );
    test.expect(status.credentials?.issued_at).toBe(issued);
    test.expect(status.last_success_at).toBe(issued);
    test.expect(assumed({ emulator })).toBe(1);
  });

  it("started again past half of the credentials' life, it refreshes at once", async (test) => {
    const { emulator, host, run } = await openFresh(test);
    await run.kill();
    // As if they had been issued forty minutes ago.
    const record = host.record();
    const agoMs = 2_400_000 / FACTOR;
    const issuedBootMs = (record?.issuedBootMs ?? 0) - agoMs;
    const expiresBootMs = (record?.expiresBootMs ?? 0) - agoMs;
    writeFileSync(
      join(host.stateDir, "refresh.json"),
      JSON.stringify({ ...record, issuedBootMs, expiresBootMs }),
    );
    const again = host.startRun();
    const status = await host.waitForStatus(
      ({ pid, last_attempt }) => pid === again.pid && last_attempt?.result === "issued",
      "a refresh",
    );
    test.expect(status.last_attempt).toMatchObject({ number: 1, reason: "past_half_life" });
    test.expect(assumed({ emulator })).toBe(2);
  });

  it("a refresh child that is killed is one failed attempt, told once, and tried again", async (test) => {
    const { emulator, host, run } = await openFresh(test);
    const before = readFileSync(host.credentialsFile, "utf8");
    emulator.faults.set({ kind: "hang", times: 1 });
    process.kill(run.pid, "SIGUSR2");
    await emulator.requests.waitFor(({ fault }) => fault === "hang");
    const [child = 0] = childrenOf(run.pid);
    process.kill(child, "SIGKILL");
    test.expect(await run.waitForLog("refresh_failed")).toMatch(/kind=crashed .*SIGKILL/);
    await run.waitForLog("refresh_recovered");
    test.expect(run.lines("refresh_failed")).toHaveLength(1);
    test.expect(readFileSync(host.credentialsFile, "utf8")).not.toBe(before);
  });

  it("SIGHUP with a good config puts it in force", async (test) => {
    const { emulator, host, run } = await openFresh(test);
    host.writeConfig(readFileSync(host.configFile, "utf8").replace("serial-ABCDEFG", "serial-NEW"));
    process.kill(run.pid, "SIGHUP");
    await run.waitForLog("config_reloaded");
    const status = await host.waitForStatus(
      ({ serial, last_attempt }) =>
        serial === "serial-NEW" && last_attempt?.number === 2 && last_attempt.result === "issued",
      "the new serial",
    );
    test.expect(status.session_arn).toMatch(/\/serial-NEW$/);
    test.expect(emulator.sessions.list().at(-1)?.arn).toMatch(/\/serial-NEW$/);
  });

  it("SIGHUP with a wrong config keeps the old one in force, and says so in log and status", async (test) => {
    const { host, run } = await openFresh(test);
    const good = readFileSync(host.configFile, "utf8");
    host.writeConfig(good.replace("region: ap-northeast-2", "region: nowhere"));
    process.kill(run.pid, "SIGHUP");
    test.expect(await run.waitForLog("config_rejected")).toMatch(/ ERROR .*region/);
    const status = await host.waitForStatus(({ config }) => config.rejected !== null, "the rejected config");
    test.expect(status).toMatchObject({ state: "fresh", region: "ap-northeast-2" });
    process.kill(run.pid, "SIGUSR2");
    await host.waitForStatus(
      ({ last_attempt }) => last_attempt?.number === 2 && last_attempt.result === "issued",
      "it",
    );
    host.writeConfig(good);
    process.kill(run.pid, "SIGHUP");
    await host.waitForStatus(({ config }) => config.rejected === null, "the mended config");
  });
});
