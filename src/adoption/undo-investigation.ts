/** Can the adoption be undone? For the kind with an IAM user only as long as its old registration is there. */
import { readAgentSettings } from "../agent/settings.ts";
import { openNetwork } from "../aws/network.ts";
import { Failure } from "../failure.ts";
import type { ComposedConfig } from "../registration/config-text.ts";
import type { World } from "../registration/identities.ts";
import { openOperator } from "../registration/operator-access.ts";
import type { Manifest } from "./manifest.ts";
import type { AdoptFlags } from "./request.ts";
import type { Undo } from "./undo.ts";

export interface UndoOptions {
  flags: AdoptFlags;
  manifest: Manifest;
  composed: ComposedConfig;
  factor: number;
  env: NodeJS.ProcessEnv;
}

/** @throws Failure `conflict` where there is nothing to go back to */
export async function prepareUndo(options: UndoOptions): Promise<Undo> {
  const { flags, manifest, composed, factor, env } = options;
  const { config } = composed;
  const reading = await readAgentSettings(config.agent.settingsFile);
  if ("unreadable" in reading)
    throw new Failure({ kind: "host_not_ready", message: reading.unreadable, nextStep: "" });
  const undo: Undo = { config, settings: reading.settings, manifest, codedeploy: null, factor, env };
  if (manifest.old.kind === "session") return undo;
  const world: World = { config, network: await openNetwork(config, factor, env), env };
  const { codedeploy } = await openOperator(world, flags.profile);
  const { instanceName, userArn } = manifest.old;
  const found = await codedeploy.get(instanceName);
  if (found !== null && found.deregisteredAt === null && found.userArn === userArn)
    return { ...undo, codedeploy };
  throw new Failure({
    kind: "conflict",
    message: `this adoption cannot be undone any more: the old registration ${instanceName} of ${userArn} is gone, and the agent could not poll as that user`,
    nextStep: `AWS keeps a deregistered name taken for hours. This host goes on as ${manifest.serial}; nothing was changed.`,
  });
}
