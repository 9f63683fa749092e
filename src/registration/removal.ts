/**
 * Takes away what `register` wrote on this host. The config goes last: as long as it is there, a removal that was cut
 * short can be run again.
 */
import { lstatSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { desiredConfig } from "../agent/desired-config.ts";
import { backupsOf, readOnPremisesConfig } from "../agent/on-premises-config.ts";
import type { AgentSettings } from "../agent/settings.ts";
import type { Config } from "../config/config.ts";
import {
  adoptionDirectory,
  BASE_CREDENTIALS_FILE,
  dropInFile,
  registrationFile,
  stateFiles,
} from "../config/paths.ts";
import { withoutProfile } from "../credentials/profile-file.ts";
import { errorCode, errorText, Failure } from "../failure.ts";
import { replaceFile } from "../host/atomic-file.ts";
import { withRightsOf } from "../host/privileges.ts";
import { readTextIfPresent } from "../host/read-file.ts";
import { changeUnits } from "../host/systemd.ts";
import type { StepOutcome } from "../report/progress.ts";
import { ONESHOT, PATH_UNIT, SERVICE } from "./service-step.ts";

const MAX_BYTES = 1_024 * 1_024;
const RELOAD_LIMIT_MS = 60_000;
const DROP_INS = [
  dropInFile(SERVICE, "reader-group"),
  dropInFile(ONESHOT, "agent-paths"),
  dropInFile(PATH_UNIT, "agent-paths"),
];

/** Every file that removal would take away or change, in its order; those that are not there left out. */
export async function filesToRemove(config: Config, settings: AgentSettings | null): Promise<string[]> {
  const { credentials, refreshRecord, runRecord, refreshLock, runLock } = stateFiles(config.paths);
  const agentConfig = settings === null ? [] : await ownAgentConfig(config, settings);
  // They are copies that we have made, and one of them may hold an IAM user's key.
  const backups = settings === null ? [] : await backupsOf(settings.onPremisesConfigFile).catch(() => []);
  const files = [
    ...agentConfig,
    ...backups,
    config.credentialsFile.path,
    credentials,
    refreshRecord,
    runRecord,
    // The service is stopped: nobody waits for these any more.
    refreshLock,
    runLock,
    // Elsewhere it may be somebody's own file, with other profiles in it.
    ...(isOurPlace(config) ? [config.baseCredentials.file] : []),
    // An exporter that goes on reading it would tell of a host that is no more.
    ...(config.metrics.textfile === null ? [] : [config.metrics.textfile]),
    ...DROP_INS,
    registrationFile(config.configFile),
    // A directory of copies, of which one may hold an IAM user's key.
    adoptionDirectory(config.configFile),
    config.configFile,
  ];
  return [...new Set(files)].filter((path) => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return false;
    // Links and FIFOs that the service's user has put in a file's place go, too; a directory there is not walked.
    return !found.isDirectory() || path === adoptionDirectory(config.configFile);
  });
}

function isOurPlace({ baseCredentials: { file } }: Config): boolean {
  return file === BASE_CREDENTIALS_FILE;
}

/** The agent's config is ours only as long as it names our session. */
async function ownAgentConfig(
  config: Config,
  { onPremisesConfigFile: file }: AgentSettings,
): Promise<string[]> {
  const reading = await readOnPremisesConfig(file, desiredConfig(config));
  const isOurs = reading.kind === "read" && !reading.differences.some(({ key }) => key === "iam_session_arn");
  return isOurs ? [file] : [];
}

/** @throws Failure `cannot_write` naming the file */
export async function removeFiles(config: Config, settings: AgentSettings | null): Promise<StepOutcome> {
  const files = await filesToRemove(config, settings);
  for (const path of files) {
    try {
      if (path === config.credentialsFile.path) await removeCredentials(config);
      else rmSync(path, { recursive: path === adoptionDirectory(config.configFile) });
    } catch (error) {
      if (errorCode(error) === "ENOENT") continue;
      throw new Failure({
        kind: "cannot_write",
        message: `${path} could not be removed: ${errorCode(error) ?? errorText(error)}`,
        nextStep: `Remove it by hand: rm ${path}`,
      });
    }
  }
  if (files.some((path) => DROP_INS.includes(path)))
    await changeUnits(RELOAD_LIMIT_MS, ["daemon-reload"], []);
  if (files.length === 0) return { state: "kept", detail: "nothing of ours is left" };
  const notes = isOurPlace(config)
    ? []
    : [`The base credentials, ${config.baseCredentials.file}, do not lie in our own place and are left.`];
  return { state: "done", detail: `removed ${files.join(", ")}`, notes };
}

/**
 * A file that holds others' profiles as well keeps them. Its directory is the service's, so this is done with no more
 * rights than the service's: root could be shown another's file here and have it written out under another owner.
 */
function removeCredentials({ credentialsFile: { path, profile, group } }: Config): Promise<void> {
  return withRightsOf(dirname(path), group, async () => {
    const rest = lstatSync(path).isFile() ? withoutProfile(await readOwn(path), profile) : "";
    if (rest.trim() === "") return rmSync(path);
    // Neither a link's target nor a setuid bit may be taken over from what lies there now; and a file that somebody
    // else has put into the service's directory (root's editor) becomes the service's.
    const { mode, uid, gid } = lstatSync(path);
    const self = process.geteuid?.();
    const kept = self === 0 || self === uid ? { userId: uid, groupId: gid } : {};
    await replaceFile(path, rest, { mode: mode & 0o777, ...kept });
  });
}

/** Empty where the service itself may not read it: then it is none of the service's files. */
async function readOwn(path: string): Promise<string> {
  try {
    return (await readTextIfPresent(path, { maxBytes: MAX_BYTES })) ?? "";
  } catch (error) {
    if (errorCode(error) === "EACCES") return "";
    throw error;
  }
}
