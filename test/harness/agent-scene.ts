/**
 * A host on which the stand-in agent runs with good credentials and config, and `sync-agent` is typed by hand.
 *
 * Credentials last an hour of real time, so that nothing but what a test does is a reason to reload.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { SyncAnswer } from "../../src/agent/exchange.ts";
import { type RunningAgent, startAgent } from "../agent/launch.ts";
import { type Emulator, startEmulator } from "../aws-emulator/emulator.ts";
import { eventually } from "./eventually.ts";
import type { TestContext } from "./scene.ts";
import { COMPILE_CACHE, ScratchHost, type ScratchHostOptions, SERIAL, SESSION_ARN } from "./scratch-host.ts";

/** Five minutes, the least between two reloads, pass in one second. */
export const AGENT_FACTOR = 300;

export interface AgentScene {
  emulator: Emulator;
  host: ScratchHost;
  agent: RunningAgent;
}

export interface AgentSceneOptions extends Omit<ScratchHostOptions, "endpoint"> {
  /** The agent's own pace; the host's by default. */
  agentFactor?: number;
  /** Before the agent starts. */
  prepare?: (host: ScratchHost) => void;
}

export async function openAgentScene(
  test: TestContext,
  options: AgentSceneOptions = {},
): Promise<AgentScene> {
  const { timeFactor = AGENT_FACTOR, agentFactor = timeFactor, prepare, ...rest } = options;
  const emulator = await startEmulator();
  emulator.settings.change({ pollHoldMs: 200 });
  emulator.instances.put({ name: SERIAL, region: "ap-northeast-2", iamSessionArn: SESSION_ARN });
  const host = new ScratchHost({ endpoint: emulator.url, timeFactor, ...rest });
  test.onTestFinished(async () => {
    await host.close();
    await emulator.close();
  });
  await host.command("refresh");
  await host.command("sync-agent");
  prepare?.(host);
  const agent = await startAgent({
    directory: host.agentDirectory,
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE },
    endpoint: emulator.url,
    timeFactor: agentFactor,
  });
  test.onTestFinished(() => agent.stop());
  await agent.waitForTrace(({ kind }) => kind === "poll_ok");
  return { emulator, host, agent };
}

/** Somebody edits the agent's config by hand. */
export function editConfig({ agent }: Pick<AgentScene, "agent">, edit: (text: string) => string): void {
  const path = agent.paths.onPremisesConfig;
  writeFileSync(path, edit(readFileSync(path, "utf8")));
}

export const breakRegion = (scene: Pick<AgentScene, "agent">): void =>
  editConfig(scene, (text) => text.replace(/^region: .*$/m, "region: us-east-1"));

export async function syncOnce({ host }: Pick<AgentScene, "host">): Promise<SyncAnswer> {
  const { stdout, stderr } = await host.command("sync-agent", "--json");
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Asks again, as `run` does, until the agent has been reloaded. */
export async function syncUntilDone(scene: Pick<AgentScene, "host">): Promise<SyncAnswer> {
  for (let n = 0; n < 100; n += 1) {
    const answer = await syncOnce(scene);
    if (answer.reload.state !== "deferred" && answer.reload.state !== "under_way") return answer;
    await sleep(500);
  }
  throw new Error("the reload was never done");
}

export const reloads = ({ agent }: Pick<AgentScene, "agent">) =>
  agent.trace().filter((event) => event.kind === "shutdown");

/** The worker that came last, once it polls. */
export function newWorkerPolls(
  { agent }: Pick<AgentScene, "agent">,
  old: number | undefined,
): Promise<number> {
  return eventually(
    () => {
      const last = agent.trace().findLast((event) => event.kind === "poll_ok");
      return last !== undefined && last.pid !== old && last.pid === agent.workerPid() && last.pid;
    },
    () => "no new worker polls",
  );
}
