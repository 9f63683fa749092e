/** `register --install-agent`: the CodeDeploy agent where there is none. One that is there is never touched. */
import { agentSource, installAgent, latestPackage } from "../agent/install.ts";
import { readAgentVersion } from "../agent/installation.ts";
import { inspectService } from "../agent/service.ts";
import { readAgentSettings } from "../agent/settings.ts";
import type { StepOutcome } from "../report/progress.ts";
import type { World } from "./identities.ts";

/**
 * @param given `--agent-source`, checked before
 * @param changes false to say only what would be done
 */
export async function installAgentStep(
  given: string | undefined,
  { config, network }: World,
  changes: boolean,
): Promise<StepOutcome> {
  const reading = await readAgentSettings(config.agent.settingsFile);
  const service = "settings" in reading ? await inspectService(config.agent.service, reading.settings) : null;
  if (service !== null && service.state !== "absent")
    return {
      state: "kept",
      detail: `version ${(await readAgentVersion()) ?? "unknown"} is there and left alone`,
    };
  const source = agentSource(given, config.region) ?? { base: "" };
  const place = await latestPackage(source, network);
  if (!changes) return { state: "plan", detail: `install ${source.base}/${place}` };
  await installAgent(source, place, network);
  return { state: "done", detail: `installed ${(await readAgentVersion()) ?? place} from ${source.base}` };
}
