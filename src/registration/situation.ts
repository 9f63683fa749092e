/** What `register` is asked for, and what is on the host already: all that is known before anything is shown or done. */
import { interpretOldConfig } from "../adoption/old-setup.ts";
import { agentSource } from "../agent/install.ts";
import { readAgentSettings } from "../agent/settings.ts";
import type { Config } from "../config/config.ts";
import { CONFIG_FILE, registrationFile } from "../config/paths.ts";
import { errorText, Failure } from "../failure.ts";
import { readTextIfPresent } from "../host/read-file.ts";
import { readerGroupFor } from "./agent-access.ts";
import { clonedMachine, differenceFromRegistered } from "./clone.ts";
import { type ComposedConfig, composeConfig, presentConfig } from "./config-text.ts";
import { environmentProxy } from "./environment-proxy.ts";
import { expectedSessionArn } from "./identities.ts";
import { type Registration, readUsableRegistration } from "./record.ts";
import { parseRequest, type RegisterFlags, type RegisterRequest, usage } from "./request.ts";

export interface SituationFlags extends RegisterFlags {
  config?: string;
  agentSource?: string;
  profile?: string;
  /** AWS is told elsewhere (a control node, with an identity that never comes here): the host's part alone. */
  registered?: boolean;
  /** This host is a clone, and takes another name than its twin's. */
  replace?: boolean;
  /** New hardware, the same host. */
  sameHost?: boolean;
}

export interface Situation {
  request: RegisterRequest;
  composed: ComposedConfig;
  previous: Registration | null;
  sessionArn: string;
}

const MAX_BYTES = 256 * 1_024;

/** @throws Failure `usage`, `config`, `conflict`, `cloned_machine` */
export async function readSituation(flags: SituationFlags): Promise<Situation> {
  const path = flags.config ?? CONFIG_FILE;
  const existing = await readPresentText(path);
  const present = existing === null ? null : presentConfig(existing, path);
  const request = parseRequest(flags, present);
  refuseOperatorsPart(flags);
  if (flags.agentSource !== undefined && agentSource(flags.agentSource, request.region) === null) {
    throw usage([
      "--agent-source must be an https:// URL without user, password and query, a file:// URL or an absolute path: what it gives is run as root",
    ]);
  }
  const previous = await readUsableRegistration(path);
  refuseOtherSerial(flags, request, present);
  if (previous?.serial === request.serial) refuseOtherHost(flags, request, previous, path);
  const readerGroup = await readerGroupFor(present);
  const proxy = proxyToKeep(present);
  const composed = composeConfig(existing, path, { ...request, readerGroup, proxy }, process.env);
  const sessionArn = expectedSessionArn(composed.config);
  if (previous === null && present === null && !flags.replace)
    await refuseOtherIdentity(composed.config, sessionArn);
  return { request: withTagsOf(previous, request), composed, previous, sessionArn };
}

/** What would go unheeded is refused: a host without its tags is in no deployment group. */
function refuseOperatorsPart({ registered, tag = [], profile }: SituationFlags): void {
  if (!registered) return;
  const errors = [
    ...(tag.length > 0
      ? ["--tag does not go with --registered: whoever registers the host tags it, too"]
      : []),
    ...(profile === undefined ? [] : ["--profile does not go with --registered, which needs no operator"]),
  ];
  if (errors.length > 0) throw usage(errors);
}

/** Our own config's say comes first; what cannot stand there is noted when the host is checked. */
function proxyToKeep(present: Config | null): string | null {
  if (present !== null && present.network.proxy !== null) return null;
  const found = environmentProxy(process.env);
  return found.kind === "found" ? found.url : null;
}

/** It is not to be found out in the middle, when the base credentials have been written beside it. */
/** @throws Failure `config` */
export function readPresentText(configFile: string): Promise<string | null> {
  return readTextIfPresent(configFile, { maxBytes: MAX_BYTES, followLink: true }).catch((error) => {
    throw unreadableConfig(configFile, error);
  });
}

function unreadableConfig(path: string, error: unknown): Failure {
  return new Failure({
    kind: "config",
    message: `${path} cannot be read: ${errorText(error)}`,
    nextStep:
      process.geteuid?.() === 0
        ? `Look at it: ls -ld ${path}`
        : "This command must be run as root: use sudo.",
  });
}

/** A host that polls under another name would drop out of its deployment groups, and leave that name behind. */
async function refuseOtherIdentity({ agent }: Config, sessionArn: string): Promise<void> {
  const reading = await readAgentSettings(agent.settingsFile);
  if ("unreadable" in reading) return;
  const file = reading.settings.onPremisesConfigFile;
  const text = await readTextIfPresent(file, { maxBytes: 64 * 1_024, followLink: true }).catch(() => null);
  const interpreted = text === null ? { unusable: "" } : interpretOldConfig(text);
  if ("unusable" in interpreted) return;
  const { setup } = interpreted;
  const identity = setup.kind === "user" ? setup.userArn : setup.sessionArn;
  if (identity === sessionArn) return;
  throw new Failure({
    kind: "conflict",
    message: `this host's agent polls as ${identity} already (${file}); registering would take it out of its deployment groups`,
    nextStep: "Move it over with: idc-helper adopt. If that identity is of no use any more: add --replace.",
  });
}

/** Tags that an earlier run was asked for and may not have come to. */
function withTagsOf(previous: Registration | null, request: RegisterRequest): RegisterRequest {
  const isAgain = previous?.serial === request.serial && request.tags.length === 0;
  return isAgain ? { ...request, tags: previous.tags } : request;
}

function refuseOtherSerial(
  { replace }: SituationFlags,
  { serial, region, roleArn }: RegisterRequest,
  present: Config | null,
): void {
  if (replace || present === null || present.serial === serial) return;
  throw new Failure({
    kind: "conflict",
    message: `this host is set up as ${present.serial} (${present.configFile}), not ${serial}`,
    nextStep: `To give it another name, deregister it first: idc-helper deregister. If it is a clone, whose twin keeps the name ${present.serial}: idc-helper register --replace --serial ${serial} --region ${region} --role-arn ${roleArn}`,
  });
}

/** The same name on another machine, or in another region, where the old registration would be left behind unnoticed. */
function refuseOtherHost(
  { sameHost }: SituationFlags,
  { serial, region }: RegisterRequest,
  previous: Registration,
  path: string,
): void {
  const difference = sameHost ? null : differenceFromRegistered(previous);
  if (difference !== null) throw clonedMachine(path, previous, difference);
  if (previous.region === region) return;
  throw new Failure({
    kind: "conflict",
    message: `this host is registered in ${previous.region} (${registrationFile(path)}), not in ${region}`,
    nextStep: `Deregister it there first, or its registration there stays behind: idc-helper deregister. Or leave it where it is: idc-helper register --serial ${serial} --region ${previous.region}`,
  });
}
