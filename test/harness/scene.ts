/** An emulated AWS and a scratch host that speaks to it, for as long as one test lasts. */
import { type Emulator, type EmulatorOptions, startEmulator } from "../aws-emulator/emulator.ts";
import { ScratchHost, type ScratchHostOptions } from "./scratch-host.ts";

/** What we need of a test's context; tests that run side by side cannot share vitest's global hooks. */
export interface TestContext {
  onTestFinished(end: () => Promise<void>): void;
}

export interface Scene {
  emulator: Emulator;
  host: ScratchHost;
}

export type SceneOptions = Omit<ScratchHostOptions, "endpoint"> & Pick<EmulatorOptions, "tls">;

export async function openScene(test: TestContext, options: SceneOptions = {}): Promise<Scene> {
  const { tls, ...hostOptions } = options;
  const { timeFactor = 1 } = hostOptions;
  const emulator = await startEmulator({ timeFactor, ...(tls === undefined ? {} : { tls }) });
  const host = new ScratchHost({ endpoint: emulator.httpsUrl ?? emulator.url, ...hostOptions });
  test.onTestFinished(async () => {
    await host.close();
    await emulator.close();
  });
  return { emulator, host };
}
