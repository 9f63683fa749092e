/** Service, root oneshot and agent together: what the agent must load it is made to load, and status tells. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { startAgent } from "../agent/launch.ts";
import { breakRegion, newWorkerPolls, reloads } from "../harness/agent-scene.ts";
import { eventually } from "../harness/eventually.ts";
import { openScene, type SceneOptions, type TestContext } from "../harness/scene.ts";
import { quietSchedule } from "../harness/schedule.ts";
import { COMPILE_CACHE, SERIAL, SESSION_ARN } from "../harness/scratch-host.ts";

const FACTOR = 60;

async function open(test: TestContext, options: SceneOptions = {}) {
  const { timeFactor = FACTOR } = options;
  const scene = await openScene(test, { timeFactor, config: quietSchedule(timeFactor), ...options });
  const { emulator, host } = scene;
  emulator.settings.change({ pollHoldMs: 12_000 });
  emulator.instances.put({ name: SERIAL, region: "ap-northeast-2", iamSessionArn: SESSION_ARN });
  const startAgentHere = async () => {
    const agent = await startAgent({
      directory: host.agentDirectory,
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE },
      endpoint: emulator.url,
      timeFactor,
    });
    test.onTestFinished(() => agent.stop());
    return agent;
  };
  return { ...scene, startAgentHere };
}

/** A host at rest: service and agent run, and nothing is to be done. */
async function openAtRest(test: TestContext, options: SceneOptions = {}) {
  const scene = await open(test, options);
  const unit = scene.host.startPathUnit();
  const run = scene.host.startRun();
  await scene.host.waitForStatus(({ state }) => state === "fresh", "good credentials");
  await eventually(
    () => unit.starts() > 0 && existsSync(`${scene.host.agentRuntimeDir}/agent.json`),
    () => `no answer:\n${unit.log()}`,
  );
  const agent = await scene.startAgentHere();
  await agent.waitForTrace(({ kind }) => kind === "poll_ok");
  return { ...scene, unit, run, agent };
}

describe.concurrent("service and agent", () => {
  it("first install: an agent that could not start polls as soon as there are credentials and config", async (test) => {
    const { host, startAgentHere } = await open(test);
    const agent = await startAgentHere();
    await agent.waitForTrace(({ kind }) => kind === "worker_failed");
    host.startPathUnit();
    host.startRun();
    await agent.waitForTrace(({ kind }) => kind === "poll_ok");
    const status = await host.waitForStatus(
      ({ agent: { state, config_match, reload } }) =>
        state === "running" && config_match === "matches" && ["done", "not_needed"].includes(reload),
      "the agent at work",
    );
    test.expect(status.agent.worker_pid).toBe(agent.workerPid());
  });

  it("credentials that come too late for the agent's next read: the agent is reloaded once", async (test) => {
    const scene = await openAtRest(test);
    const { host, agent } = scene;
    const worker = agent.workerPid();
    await scene.run.stop();
    // As if the service had been away for fifty minutes of the hour that what the agent holds lasts.
    const record = host.record();
    const awayMs = 3_000_000 / FACTOR;
    const issuedBootMs = (record?.issuedBootMs ?? 0) - awayMs;
    const expiresBootMs = (record?.expiresBootMs ?? 0) - awayMs;
    writeFileSync(
      join(host.stateDir, "refresh.json"),
      JSON.stringify({ ...record, issuedBootMs, expiresBootMs }),
    );
    const run = host.startRun();
    await newWorkerPolls(scene, worker);
    test.expect(await run.waitForLog("agent_loaded")).toContain("for=credentials");
    test.expect(reloads(scene)).toHaveLength(1);
  });

  it("agent.reload never: status and its exit code say that the agent waits for a hand", async (test) => {
    const scene = await openAtRest(test, { agent: "reload: never" });
    const { host, run } = scene;
    breakRegion(scene);
    process.kill(run.pid, "SIGUSR2");
    const status = await host.waitForStatus(({ agent }) => agent.reload === "off", "the reload that is off");
    test.expect(status.agent.next_step).toContain("systemctl reload");
    await run.waitForLog("agent_reload_off");
    const { code, stdout } = await host.command("status");
    test.expect(code).toBe(1);
    test.expect(stdout).toMatch(/^WARNING - .*the agent waits for a reload by hand/);
    test.expect(reloads(scene)).toEqual([]);
  });

  it("agent.on_drift report: status and its exit code say that the config has drifted, and how", async (test) => {
    const { host } = await open(test, { agent: "on_drift: report" });
    const run = host.startRun();
    host.startPathUnit();
    const status = await host.waitForStatus(
      ({ agent }) => agent.config_match === "missing",
      "the missing config",
    );
    test.expect(status.agent.config_detail).toContain("on_drift is report");
    test.expect(await run.waitForLog("agent_config_missing")).toContain(" WARN ");
    test.expect(existsSync(`${host.agentDirectory}/codedeploy.onpremises.yml`)).toBe(false);
    const { code } = await host.command("status");
    test.expect(code).toBe(1);
  });

  it("nobody answers the requests: told once, and forgotten when the answer comes", async (test) => {
    const { host } = await open(test);
    const run = host.startRun();
    test.expect(await run.waitForLog("agent_sync_unanswered")).toContain("idc-codedeploy-helper-agent.path");
    host.startPathUnit();
    await host.waitForStatus(({ agent }) => agent.state === "stopped", "the answer");
    test.expect(run.lines("agent_sync_unanswered")).toHaveLength(1);
  });
});
