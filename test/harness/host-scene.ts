/** An emulated AWS and a scratch host to be root on, for as long as one test lasts. */
import { type Emulator, type EmulatorOptions, startEmulator } from "../aws-emulator/emulator.ts";
import { HostRoot, type HostRootOptions } from "./host-root.ts";
import type { TestContext } from "./scene.ts";

export interface HostScene {
  emulator: Emulator;
  host: HostRoot;
}

export interface HostSceneOptions
  extends Omit<HostRootOptions, "endpoint" | "hasAgent">,
    Pick<EmulatorOptions, "tls"> {
  /** Installed but not running by default. */
  agent?: "running" | "stopped" | "absent";
}

export async function openHostScene(test: TestContext, options: HostSceneOptions = {}): Promise<HostScene> {
  const { tls, agent = "stopped", ...hostOptions } = options;
  const { timeFactor = 1 } = hostOptions;
  const emulator = await startEmulator({ timeFactor, ...(tls === undefined ? {} : { tls }) });
  test.onTestFinished(() => emulator.close());
  emulator.settings.change({ pollHoldMs: 200 });
  const endpoint = emulator.httpsUrl ?? emulator.url;
  const hasAgent = agent !== "absent";
  const host = await HostRoot.open({ endpoint, agentEndpoint: emulator.url, hasAgent, ...hostOptions });
  // Before the emulator's: they run in the reverse order.
  test.onTestFinished(() => host.close());
  if (agent === "running") await host.services.startAgent();
  return { emulator, host };
}
