/** The files that `register` writes: config, base credentials, the record of the registration, drop-ins of our units. */
import type { AgentSettings } from "../agent/settings.ts";
import type { Tag } from "../aws/codedeploy.ts";
import { registrationFile } from "../config/paths.ts";
import { Failure } from "../failure.ts";
import { findGroup } from "../host/accounts.ts";
import { fingerprint, readMachine } from "../host/machine.ts";
import { SERVICE_USER } from "../host/privileges.ts";
import type { StepOutcome } from "../report/progress.ts";
import { dropIns } from "./agent-access.ts";
import type { BaseMaterial } from "./base-material.ts";
import type { ComposedConfig } from "./config-text.ts";
import { PartlyDone } from "./journey.ts";
import { compareFile, diffOf, type OwnedFile, writeOwnedFile } from "./owned-file.ts";
import { type Registration, renderRegistration } from "./record.ts";

export interface HostFiles {
  config: OwnedFile;
  /** Null where what is there stays. */
  base: OwnedFile | null;
  registration: OwnedFile;
  dropIns: OwnedFile[];
}

export interface FilesWanted {
  composed: ComposedConfig;
  base: BaseMaterial;
  sessionArn: string;
  tags: readonly Tag[];
  previous: Registration | null;
  /** Null where the agent is not installed yet, or its settings cannot be read. */
  settings?: AgentSettings | null;
}

/** @throws Failure `host_not_ready` where the service's group is missing */
export function planFiles({
  composed,
  base,
  sessionArn,
  tags,
  previous,
  settings = null,
}: FilesWanted): HostFiles {
  const { config, text } = composed;
  const groupId = findGroup(SERVICE_USER);
  if (groupId === null) {
    throw new Failure({
      kind: "host_not_ready",
      message: `this host has no group ${SERVICE_USER}, so the service could not read its base credentials`,
      nextStep: "Install the package (yum install idc-codedeploy-helper), or run: systemd-sysusers",
    });
  }
  const registration = nextRegistration({ config, sessionArn, tags, previous });
  return {
    config: { path: config.configFile, text, mode: 0o644, groupId: null, isSecret: false },
    base:
      base.text === null
        ? null
        : { path: config.baseCredentials.file, text: base.text, mode: 0o640, groupId, isSecret: true },
    registration: {
      path: registrationFile(config.configFile),
      text: renderRegistration(registration),
      mode: 0o644,
      groupId: null,
      isSecret: false,
    },
    dropIns: dropIns(config, settings),
  };
}

type NextRegistration = Pick<FilesWanted, "sessionArn" | "tags" | "previous"> & {
  config: ComposedConfig["config"];
};

/** The previous one as it is, where it already says all that is wanted. */
function nextRegistration({ config, sessionArn, tags, previous }: NextRegistration): Registration {
  const machine = fingerprint(readMachine());
  const wanted = { serial: config.serial, region: config.region, sessionArn, tags: [...tags], machine };
  if (previous !== null) {
    const { state: _state, startedAt: _startedAt, schema: _schema, ...said } = previous;
    if (JSON.stringify(sorted(said)) === JSON.stringify(sorted(wanted))) return previous;
  }
  return { schema: 1, state: "started", ...wanted, startedAt: new Date().toISOString() };
}

function sorted(value: object): [string, unknown][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

export interface WrittenFiles {
  outcome: StepOutcome;
  isConfigChanged: boolean;
  isBaseChanged: boolean;
  isUnitChanged: boolean;
}

/**
 * The record comes last, and still before AWS is told anything: killed in the middle of a `--replace`, a clone must not
 * have its twin's name in its config and itself in the record, for it would then be taken for its twin.
 */
export async function writeFiles(files: HostFiles): Promise<WrittenFiles> {
  const changed: OwnedFile[] = [];
  for (const file of [files.base, files.config, ...files.dropIns, files.registration]) {
    if (file === null) continue;
    try {
      if ((await compareFile(file)) === "none") continue;
      await writeOwnedFile(file);
    } catch (error) {
      throw withWritten(error, changed);
    }
    changed.push(file);
  }
  const detail = changed.map(({ path, mode }) => `${path} (${mode.toString(8).padStart(4, "0")})`).join(", ");
  return {
    outcome:
      changed.length === 0
        ? { state: "kept", detail: `${files.config.path} and its neighbours are right` }
        : { state: "done", detail: `wrote ${detail}` },
    isConfigChanged: changed.includes(files.config),
    isBaseChanged: files.base !== null && changed.includes(files.base),
    isUnitChanged: files.dropIns.some((file) => changed.includes(file)),
  };
}

/** What was written before one that could not be: a secret may be among it. */
function withWritten(error: unknown, written: readonly OwnedFile[]): unknown {
  if (!(error instanceof Failure) || written.length === 0) return error;
  return new PartlyDone(error, `wrote ${written.map(({ path }) => path).join(", ")}`);
}

/** For a dry run: what would change, each file as a patch. */
export async function showFiles(files: HostFiles): Promise<StepOutcome> {
  const patches: string[] = [];
  for (const file of [files.config, files.base, files.registration, ...files.dropIns]) {
    if (file !== null && (await compareFile(file)) !== "none") patches.push(await diffOf(file));
  }
  if (patches.length === 0)
    return { state: "kept", detail: `${files.config.path} and its neighbours are right` };
  return {
    state: "plan",
    detail: `write ${patches.length} file${patches.length === 1 ? "" : "s"}`,
    notes: patches,
  };
}
