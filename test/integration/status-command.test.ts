/** `idc-helper status` in every state the service can be in, as a person and as a monitoring system see it. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import type { Status } from "../../src/report/status.ts";
import { startAgent } from "../agent/launch.ts";
import { openScene, type Scene, type SceneOptions, type TestContext } from "../harness/scene.ts";
import { quietSchedule } from "../harness/schedule.ts";
import { COMPILE_CACHE, SESSION_ARN } from "../harness/scratch-host.ts";

async function openRunning(test: TestContext, options: SceneOptions = {}) {
  const { timeFactor = 60 } = options;
  const scene = await openScene(test, { timeFactor, config: quietSchedule(timeFactor), ...options });
  const run = scene.host.startRun();
  await scene.host.waitForStatus(({ state }) => state === "fresh", "good credentials");
  return { ...scene, run };
}

/** For a person and for a program at once: both must come to the same. */
async function statusOf({ host }: Pick<Scene, "host">) {
  const [human, json] = [await host.command("status"), await host.command("status", "--json")];
  const answer = JSON.parse(json.stdout) as { verdict: string; summary: string; status: Status | null };
  const [firstLine = ""] = human.stdout.split("\n");
  return { firstLine, text: human.stdout, code: human.code, jsonCode: json.code, answer };
}

describe.concurrent("status", () => {
  it("OK and 0 while all is well", async (test) => {
    const scene = await openRunning(test);
    const { emulator, host } = scene;
    emulator.instances.put({ name: "it", region: "ap-northeast-2", iamSessionArn: SESSION_ARN });
    const agent = await startAgent({
      directory: host.agentDirectory,
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE },
      endpoint: emulator.url,
      timeFactor: 60,
    });
    test.onTestFinished(() => agent.stop());
    host.startPathUnit();
    await host.waitForStatus(
      ({ agent }) => agent.state === "running" && ["done", "not_needed"].includes(agent.reload),
      "a running agent",
    );
    const { firstLine, text, code, jsonCode, answer } = await statusOf(scene);
    test.expect(firstLine).toMatch(/^OK - serial-ABCDEFG: credentials last \d+ /);
    test.expect([code, jsonCode]).toEqual([0, 0]);
    test
      .expect(answer)
      .toMatchObject({ verdict: "OK", status: { state: "fresh", session_arn: SESSION_ARN } });
    for (const row of [
      "session",
      "credentials",
      "file",
      "next refresh",
      "agent",
      "agent config",
      "agent reload",
    ]) {
      test.expect(text).toMatch(new RegExp(`^ {2}${row} `, "m"));
    }
    test.expect(text).not.toContain("\x1b");
  });

  it("WARNING and 1 while a refresh fails, with kind, count and next step", async (test) => {
    const scene = await openRunning(test);
    scene.emulator.faults.set({ kind: "deny" });
    process.kill(scene.run.pid, "SIGUSR2");
    await scene.host.waitForStatus(({ failure }) => failure !== null, "the failure");
    const { firstLine, text, code, jsonCode, answer } = await statusOf(scene);
    test.expect(firstLine).toMatch(/^WARNING - .*refresh failing \(denied, \d+ in a row\)/);
    test.expect(text).toContain("trust policy");
    test.expect([code, jsonCode]).toEqual([1, 1]);
    test
      .expect(answer)
      .toMatchObject({ verdict: "WARNING", status: { state: "retrying", failure: { kind: "denied" } } });
  });

  it("CRITICAL and 2 once the credentials have expired", async (test) => {
    const scene = await openRunning(test, { timeFactor: 1_800 });
    const { emulator, host, run } = scene;
    await emulator.down();
    await host.waitForStatus(({ state }) => state === "expired", "the expiry");
    const { firstLine, code, jsonCode, answer } = await statusOf(scene);
    test.expect(firstLine).toMatch(/^CRITICAL - .*the credentials expired \d+ /);
    test.expect([code, jsonCode]).toEqual([2, 2]);
    test.expect(answer.status?.state).toBe("expired");
    test.expect(await run.waitForLog("credentials_expired")).toContain(" ERROR ");
    test.expect(run.lines("credentials_expired")).toHaveLength(1);
  });

  it("CRITICAL and 2 when there never were credentials", async (test) => {
    const scene = await openScene(test, { timeFactor: 60 });
    scene.emulator.faults.set({ kind: "deny" });
    scene.host.startRun();
    await scene.host.waitForStatus(({ failure }) => failure !== null, "the failure");
    const { firstLine, code } = await statusOf(scene);
    test.expect(firstLine).toMatch(/^CRITICAL - serial-ABCDEFG has no credentials yet: AWS denies/);
    test.expect(code).toBe(2);
  });

  it.for(["stopped", "killed"])(
    "CRITICAL and 2 when the service was %s, though the credentials still last",
    async (how, test) => {
      const scene = await openRunning(test);
      await (how === "stopped" ? scene.run.stop() : scene.run.kill());
      const { firstLine, code, jsonCode } = await statusOf(scene);
      test.expect(firstLine).toMatch(/^CRITICAL - .*credentials last .*, but idc-helper run is not running/);
      test.expect([code, jsonCode]).toEqual([2, 2]);
    },
  );

  it("CRITICAL and 2 when the service no longer reports although it is there", async (test) => {
    const scene = await openRunning(test);
    const { host, run } = scene;
    process.kill(run.pid, "SIGSTOP");
    test.onTestFinished(async () => void process.kill(run.pid, "SIGCONT"));
    const file = join(host.runtimeDir, "status.json");
    const status = host.status();
    const longAgo = new Date(Date.now() - 3_600_000).toISOString();
    // An hour later: what is in the file has become old, and nobody writes a newer one.
    const later = { ...status, updated_at: longAgo, next_refresh_at: longAgo };
    writeFileSync(
      file,
      JSON.stringify({
        ...later,
        credentials: { ...status?.credentials, expires_at: "2099-01-01T00:00:00Z" },
      }),
    );
    const { firstLine, code } = await statusOf(scene);
    test.expect(firstLine).toMatch(/^CRITICAL - .*the service has not reported since/);
    test.expect(code).toBe(2);
    process.kill(run.pid, "SIGCONT");
  });

  it("UNKNOWN and 3 when there is no status file, or none that can be used", async (test) => {
    const scene = await openScene(test);
    const absent = await statusOf(scene);
    test.expect(absent.firstLine).toMatch(/^UNKNOWN - there is no .*status\.json/);
    test.expect([absent.code, absent.jsonCode, absent.answer.status]).toEqual([3, 3, null]);
    const file = join(scene.host.runtimeDir, "status.json");
    for (const content of ["", "{", '{"schema":999}']) {
      writeFileSync(file, content);
      const { firstLine, code } = await statusOf(scene);
      test.expect(firstLine).toMatch(/^UNKNOWN - /);
      test.expect(code).toBe(3);
    }
    rmSync(file);
  });

  it("UNKNOWN and 3 when the configuration is wrong", async (test) => {
    const scene = await openScene(test, { config: "session_duration: for ever\n" });
    const { firstLine, code } = await statusOf(scene);
    test.expect(firstLine).toMatch(/^UNKNOWN - the configuration is wrong: .*session_duration/);
    test.expect(code).toBe(3);
  });
});
