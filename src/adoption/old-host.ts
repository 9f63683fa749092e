/** What this host is today: the agent's on-premises config, or what the manifest of an unfinished adoption says it was. */
import { type AgentSettings, readAgentSettings } from "../agent/settings.ts";
import type { Config } from "../config/config.ts";
import { AGENT_DEFAULTS, DEFAULT_PATHS, stateFiles } from "../config/paths.ts";
import { errorText, Failure } from "../failure.ts";
import { readTextIfPresent } from "../host/read-file.ts";
import { type Manifest, readManifest, readSaved } from "./manifest.ts";
import { interpretOldConfig, type OldSetup } from "./old-setup.ts";

export interface OldHost {
  settings: AgentSettings;
  setup: OldSetup;
  /** Of an adoption that has begun; null before the first. */
  manifest: Manifest | null;
  /** The agent reads our file, and nobody adopted this host: `register` set it up. */
  isOurs: boolean;
}

const MAX_BYTES = 64 * 1_024;

/**
 * @param present the config that is there already, if any
 * @throws Failure `not_registered` where there is nothing to adopt
 */
export async function readOldHost(configFile: string, present: Config | null): Promise<OldHost> {
  const manifest = await readManifest(configFile);
  const settingsFile = present?.agent.settingsFile ?? AGENT_DEFAULTS.settingsFile;
  const reading = await readAgentSettings(settingsFile);
  if ("unreadable" in reading)
    throw new Failure({ kind: "host_not_ready", message: reading.unreadable, nextStep: "" });
  const { settings } = reading;
  const file = manifest?.onPremisesConfigFile ?? settings.onPremisesConfigFile;
  const text = manifest === null ? await readConfigText(file) : await savedConfigText(configFile, manifest);
  const interpreted = interpretOldConfig(text);
  if ("unusable" in interpreted) throw nothingToAdopt(`${file}: ${interpreted.unusable}`);
  const { setup } = interpreted;
  const ownFile = present?.credentialsFile.path ?? stateFiles(DEFAULT_PATHS).credentials;
  const isOurs = manifest === null && setup.kind === "session" && setup.credentialsFile === ownFile;
  return { settings, setup, manifest, isOurs };
}

async function readConfigText(file: string): Promise<string> {
  let text: string | null;
  try {
    text = await readTextIfPresent(file, { maxBytes: MAX_BYTES, followLink: true });
  } catch (error) {
    throw new Failure({
      kind: "host_not_ready",
      message: `the agent's on-premises config ${file} cannot be read: ${errorText(error)}`,
      nextStep: `Look at it: ls -l ${file}`,
    });
  }
  if (text === null) throw nothingToAdopt(`${file} does not exist`);
  return text;
}

async function savedConfigText(configFile: string, manifest: Manifest): Promise<string> {
  const saved = manifest.files.find(({ path }) => path === manifest.onPremisesConfigFile);
  if (saved === undefined) throw nothingToAdopt("the manifest of the adoption names no agent config");
  return (await readSaved(configFile, saved)).toString("utf8");
}

function nothingToAdopt(why: string): Failure {
  return new Failure({
    kind: "not_registered",
    message: `there is nothing to adopt: ${why}`,
    nextStep:
      "adopt takes over a host that polls CodeDeploy already. A new host is set up with: idc-helper register",
  });
}
