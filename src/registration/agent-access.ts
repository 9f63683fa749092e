/**
 * What the agent's own set-up asks of ours: a group that may read the credentials file where the agent is not root,
 * and drop-ins where its files lie outside of what our units may reach.
 */
import { dirname, join } from "node:path";
import type { AgentSettings } from "../agent/settings.ts";
import type { Config } from "../config/config.ts";
import { AGENT_DEFAULTS, dropInFile } from "../config/paths.ts";
import { Failure } from "../failure.ts";
import { findGroupName, findUser } from "../host/accounts.ts";
import { isBootedWithSystemd, showUnit } from "../host/systemd.ts";
import type { OwnedFile } from "./owned-file.ts";
import { ONESHOT, PATH_UNIT, SERVICE } from "./service-step.ts";

/**
 * The group that the credentials file must be handed to, by the `User=` of the agent's unit.
 *
 * @returns null where the agent is root, or not installed yet
 * @throws Failure `host_not_ready` for a user whom this host does not know
 */
async function readerGroupOf(agentUnit: string): Promise<string | null> {
  if (!isBootedWithSystemd()) return null;
  const unit = await showUnit(agentUnit, ["User", "Group"]).catch(() => null);
  const name = unit?.get("User") || "root";
  if (name === "root" || name === "0") return null;
  const given = unit?.get("Group");
  const user = findUser(name);
  const group = given || (user === null ? null : findGroupName(user.groupId));
  if (group !== null) return group;
  throw new Failure({
    kind: "host_not_ready",
    message: `${agentUnit} runs as the user ${name}, whom this host does not know, or whose group it does not`,
    nextStep: `Make the user, or correct User= of the unit: systemctl cat ${agentUnit}`,
  });
}

const OTHER_PLACE =
  "# Written by idc-helper register: the agent keeps its files in another place than it does by default.";
const USUAL_PID_FILE = join(AGENT_DEFAULTS.pidDir, "codedeploy-agent.pid");

const DEFAULT_AGENT = "codedeploy-agent.service";

/** @param present the config that is there already, whose own say comes first */
export async function readerGroupFor(present: Config | null): Promise<string | null> {
  return present?.credentialsFile.group ?? (await readerGroupOf(present?.agent.service ?? DEFAULT_AGENT));
}

/** Ours for our units, where the defaults of the package do not do. */
export function dropIns(config: Config, settings: AgentSettings | null): OwnedFile[] {
  const { group } = config.credentialsFile;
  const files: OwnedFile[] = [];
  if (group !== null) files.push(dropIn(SERVICE, "reader-group", readerGroup(group)));
  const reach = settings === null ? null : reachOf(settings);
  if (reach !== null) files.push(dropIn(ONESHOT, "agent-paths", reach));
  const watch = settings === null ? null : watchOf(settings);
  if (watch !== null) files.push(dropIn(PATH_UNIT, "agent-paths", watch));
  return files;
}

function dropIn(unit: string, name: string, text: string): OwnedFile {
  return { path: dropInFile(unit, name), text, mode: 0o644, groupId: null, isSecret: false };
}

/** The state directory, and with it the credentials file, gets the unit's own group (FACTS, systemd). */
function readerGroup(group: string): string {
  return `# Written by idc-helper register: the agent is not root, and its group reads the credentials file.
[Service]
Group=${group}
SupplementaryGroups=idc-helper
`;
}

/** So that a drift is mended at once there, too, and the agent's coming and going noticed. */
function watchOf({ onPremisesConfigFile, pidFile }: AgentSettings): string | null {
  const usual = [AGENT_DEFAULTS.onPremisesConfigFile, USUAL_PID_FILE];
  const unusual = [onPremisesConfigFile, pidFile].filter((path) => !usual.includes(path));
  if (unusual.length === 0) return null;
  const lines = unusual.map((path) => `PathChanged=${path.replaceAll("%", "%%")}`);
  return [OTHER_PLACE, "[Path]", ...lines, ""].join("\n");
}

/** A home directory is hidden from the unit altogether, unless it is told otherwise. */
const HOMES = /^\/(?:home|root|run\/user)(?:\/|$)/;

function reachOf({ onPremisesConfigFile, trackingDirectory }: AgentSettings): string | null {
  const directory = dirname(onPremisesConfigFile);
  const isUsual = directory === dirname(AGENT_DEFAULTS.onPremisesConfigFile);
  const isInHome = [directory, trackingDirectory].some((path) => HOMES.test(path));
  if (isUsual && !isInHome) return null;
  return [
    OTHER_PLACE,
    "[Service]",
    // A path with a space is quoted; a leading minus: it may not be there yet.
    ...(isUsual ? [] : [`ReadWritePaths="-${directory}"`]),
    ...(isInHome ? ["ProtectHome=no"] : []),
    "",
  ].join("\n");
}
