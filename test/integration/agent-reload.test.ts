/** When the agent is reloaded and when it is left alone: never during a lifecycle event, never needlessly. */
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { agentPaths } from "../agent/launch.ts";
import {
  AGENT_FACTOR,
  breakRegion,
  newWorkerPolls,
  openAgentScene,
  reloads,
  syncOnce,
  syncUntilDone,
} from "../harness/agent-scene.ts";
import { isRoot, unprivileged } from "../harness/identity.ts";
import { isRunning } from "../harness/processes.ts";
import { SESSION_ARN } from "../harness/scratch-host.ts";

describe.concurrent("the agent is reloaded", () => {
  it("only after the lifecycle event in progress, which succeeds, and whose application lives on", async (test) => {
    const scene = await openAgentScene(test);
    const { emulator, host, agent } = scene;
    const [release, pidFile] = [join(host.directory, "go"), join(host.directory, "application.pid")];
    const event = emulator.events.queue({
      hostIdentifier: SESSION_ARN,
      script: `sleep 600 >/dev/null 2>&1 & echo $! > ${pidFile}; while [ ! -e ${release} ]; do sleep 0.05; done\n`,
    });
    await agent.waitForTrace(({ kind }) => kind === "event_started");
    const worker = agent.workerPid();
    breakRegion(scene);
    const deferred = await syncOnce(scene);
    test
      .expect(deferred)
      .toMatchObject({ config: { state: "repaired" }, reload: { state: "deferred", causes: ["config"] } });
    test.expect(deferred.reload.detail).toContain(event.deploymentId);
    test.expect((await syncOnce(scene)).reload.state).toBe("deferred");
    test.expect(reloads(scene)).toEqual([]);
    writeFileSync(release, "");
    test.expect((await emulator.events.waitFor(event.id)).state).toBe("succeeded");
    const application = Number(readFileSync(pidFile, "utf8"));
    test.onTestFinished(async () => void process.kill(application, "SIGKILL"));
    test.expect((await syncUntilDone(scene)).reload.state).toBe("done");
    test.expect(reloads(scene)).toMatchObject([{ eventsInHand: 0 }]);
    await newWorkerPolls(scene, worker);
    test.expect(isRunning(application)).toBe(true);
  });

  it("although an earlier worker left a tracking file behind", async (test) => {
    const leaveOne = (host: { agentDirectory: string }) => {
      const { trackingDir } = agentPaths(host.agentDirectory);
      mkdirSync(trackingDir, { recursive: true });
      writeFileSync(join(trackingDir, "d-LEFTOVER1"), "nobody knows this command");
    };
    const scene = await openAgentScene(test, { prepare: leaveOne });
    await scene.agent.waitForTrace(({ kind }) => kind === "leftover_kept");
    breakRegion(scene);
    test.expect((await syncUntilDone(scene)).reload.state).toBe("done");
    test.expect(reloads(scene)).toHaveLength(1);
  });

  it("not while it cannot be known whether an event is in progress", async (test) => {
    const scene = await openAgentScene(test, { owner: unprivileged });
    const { trackingDir } = scene.agent.paths;
    mkdirSync(trackingDir, { recursive: true });
    if (isRoot) chownSync(trackingDir, 0, 0);
    chmodSync(trackingDir, isRoot ? 0o700 : 0o000);
    breakRegion(scene);
    const { reload, config } = await syncOnce(scene);
    chmodSync(trackingDir, 0o755);
    test.expect(config.state).toBe("repaired");
    test.expect(reload.state).toBe("deferred");
    test.expect(reload.detail).toContain("permission denied");
    test.expect(reloads(scene)).toEqual([]);
  });

  it("not when somebody has stopped it: it stays stopped, its config is mended all the same", async (test) => {
    const scene = await openAgentScene(test);
    const { agent } = scene;
    await agent.stop();
    breakRegion(scene);
    const answer = await syncOnce(scene);
    test.expect(answer).toMatchObject({
      agent: { state: "stopped", workerPid: null },
      config: { state: "repaired" },
      reload: { state: "not_running" },
    });
    test.expect(isRunning(agent.masterPid)).toBe(false);
    test.expect((await syncOnce(scene)).agent.state).toBe("stopped");
  });

  it("not while it has no worker: the one to come reads everything anyway", async (test) => {
    // At a fifth of its pace, the master waits 25 s before it replaces a dead worker.
    const scene = await openAgentScene(test, { agentFactor: 0.2 });
    const { agent } = scene;
    const worker = agent.workerPid() ?? 0;
    breakRegion(scene);
    process.kill(worker, "SIGKILL");
    await agent.waitForTrace(({ kind }) => kind === "worker_ended");
    const answer = await syncOnce(scene);
    test
      .expect(answer)
      .toMatchObject({ agent: { state: "running", workerPid: null }, config: { state: "repaired" } });
    test.expect(["not_needed", "under_way"]).toContain(answer.reload.state);
    const pid = await newWorkerPolls(scene, worker);
    const read = agent.trace().find((event) => event.kind === "config_read" && event.pid === pid);
    test.expect(read).toMatchObject({ region: "ap-northeast-2" });
    test.expect((await syncUntilDone(scene)).reload.state).toBe("not_needed");
    test.expect(reloads(scene)).toEqual([]);
  });

  it("at most once in five minutes, however often its config is broken", async (test) => {
    const factor = 40;
    const scene = await openAgentScene(test, { timeFactor: factor, agentFactor: AGENT_FACTOR });
    breakRegion(scene);
    await syncUntilDone(scene);
    breakRegion(scene);
    const soon = await syncOnce(scene);
    test.expect(soon).toMatchObject({ config: { state: "repaired" }, reload: { state: "deferred" } });
    test.expect(soon.reload.detail).toContain("must lie between two");
    test.expect((await syncUntilDone(scene)).reload.state).toBe("done");
    const [first, second] = reloads(scene).map(({ at }) => Date.parse(at));
    const apartMs = ((second ?? 0) - (first ?? 0)) * factor;
    // The rule counts from when it was decided, the trace from when the signal arrived.
    test.expect(apartMs).toBeGreaterThan(0.98 * 300_000);
    test.expect(reloads(scene)).toHaveLength(2);
  });

  it("not when agent.on_drift is report: the broken file is left as it is, and reported", async (test) => {
    const scene = await openAgentScene(test, {
      agent: "on_drift: report",
      prepare: (host) => {
        const { onPremisesConfig } = agentPaths(host.agentDirectory);
        writeFileSync(
          onPremisesConfig,
          `region: ap-northeast-2\niam_session_arn: ${SESSION_ARN}\naws_credentials_file: ${host.credentialsFile}\n`,
        );
      },
    });
    breakRegion(scene);
    const broken = readFileSync(scene.agent.paths.onPremisesConfig, "utf8");
    const { reload, config } = await syncOnce(scene);
    test.expect(config).toMatchObject({
      state: "drifted",
      differences: [{ key: "region", found: "us-east-1", wanted: "ap-northeast-2" }],
    });
    test.expect(reload.state).toBe("not_needed");
    test.expect(readFileSync(scene.agent.paths.onPremisesConfig, "utf8")).toBe(broken);
    test.expect(reloads(scene)).toEqual([]);
  });
});
