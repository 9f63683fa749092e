/**
 * `idc-helper adopt`: takes over a host that polls CodeDeploy already, without a moment in which its agent has no
 * valid credentials. What was found and what is planned is shown first; run again, it does only what is left to do.
 */

import { conclusionOf, undoneOf } from "../adoption/conclusion.ts";
import { Investigation } from "../adoption/investigation.ts";
import { readManifest, removeAdoption } from "../adoption/manifest.ts";
import { readOldHost } from "../adoption/old-host.ts";
import type { AdoptFlags } from "../adoption/request.ts";
import { takeoverSteps } from "../adoption/takeover.ts";
import { undoSteps } from "../adoption/undo.ts";
import { prepareUndo } from "../adoption/undo-investigation.ts";
import type { Config } from "../config/config.ts";
import { CONFIG_FILE } from "../config/paths.ts";
import { EXIT, exitCodeOf } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { timeFactor } from "../host/service-environment.ts";
import { readerGroupFor } from "../registration/agent-access.ts";
import { clonedMachine, differenceFromRegistered } from "../registration/clone.ts";
import { type ConfigValues, composeConfig, presentConfig } from "../registration/config-text.ts";
import { type Registration, readUsableRegistration } from "../registration/record.ts";
import { readPresentText } from "../registration/situation.ts";
import { Progress, SILENT, standardOutput } from "../report/progress.ts";
import { print, printJson } from "./options.ts";
import { type PlannedWork, walkPlan } from "./planned-work.ts";

export async function adopt(flags: AdoptFlags): Promise<number> {
  try {
    return await dispatch(flags);
  } catch (error) {
    if (!(error instanceof Failure) || !flags.json) throw error;
    printJson({ result: "failed", ...error.report() });
    return exitCodeOf(error.kind);
  }
}

async function dispatch(flags: AdoptFlags): Promise<number> {
  refuseUnlessRoot();
  const configFile = flags.config ?? CONFIG_FILE;
  const existing = await readPresentText(configFile);
  const progress = new Progress(flags.json ? SILENT : standardOutput());
  return flags.undo
    ? undo(flags, configFile, existing, progress)
    : takeOver(flags, configFile, existing, progress);
}

async function takeOver(
  flags: AdoptFlags,
  configFile: string,
  existing: string | null,
  progress: Progress,
): Promise<number> {
  const present = existing === null ? null : presentConfig(existing, configFile);
  const old = await readOldHost(configFile, present);
  if (old.manifest?.state === "undoing") throw undoUnfinished();
  const { setup } = old;
  if (old.isOurs) {
    return answerKept(
      flags,
      "Nothing to adopt: the agent gets its credentials from idc-codedeploy-helper already.",
    );
  }
  const previous = await readUsableRegistration(configFile);
  const serial = old.manifest?.serial ?? (setup.kind === "session" ? setup.serial : flags.serial);
  refuseOther(present, previous, serial, configFile);
  const factor = timeFactor();
  const readerGroup = await readerGroupFor(present);
  const compose = (values: Omit<ConfigValues, "readerGroup">) =>
    composeConfig(existing, configFile, { ...values, readerGroup }, process.env);
  const investigation = new Investigation({
    flags,
    old,
    present,
    previous,
    compose,
    progress,
    factor,
    env: process.env,
  });
  const work: PlannedWork = {
    command: "adopt",
    question: "Adopt this host as planned?",
    titles: ["Looking at this host, changing nothing", "What adopting it will do", "Adopting this host"],
    look: investigation.steps(),
    steps: () => takeoverSteps(investigation.findings(), flags.keepCron === true, factor),
    success: () => conclusionOf(investigation.findings()),
  };
  return walkPlan(work, flags, progress);
}

async function undo(
  flags: AdoptFlags,
  configFile: string,
  existing: string | null,
  progress: Progress,
): Promise<number> {
  const manifest = await readManifest(configFile);
  if (manifest === null) {
    // Copies that are left where an undo was killed at its last step.
    if (!flags.dryRun) removeAdoption(configFile);
    return answerKept(flags, "Nothing to undo: this host is not adopted, or its adoption was undone.");
  }
  const { serial, region, roleArn } = manifest;
  const names = { serial, region, roleArn, readerGroup: null };
  const composed = composeConfig(existing, configFile, names, process.env);
  const factor = timeFactor();
  const prepared = await prepareUndo({ flags, manifest, composed, factor, env: process.env });
  const work: PlannedWork = {
    command: "adopt --undo",
    question: "Undo the adoption as planned?",
    titles: ["", "What undoing the adoption will do", "Undoing the adoption"],
    look: [],
    steps: () => undoSteps(prepared),
    success: () => undoneOf(manifest),
  };
  return walkPlan(work, flags, progress);
}

function refuseUnlessRoot(): void {
  if (process.geteuid?.() === 0) return;
  throw new Failure({
    kind: "host_not_ready",
    message:
      "this command must be run as root: it reads crontabs and the agent's config, and starts the service",
    nextStep: "Use sudo.",
  });
}

function undoUnfinished(): Failure {
  return new Failure({
    kind: "conflict",
    message: "an undo of this host's adoption has begun and is not finished",
    nextStep: "Finish it first: idc-helper adopt --undo",
  });
}

function refuseOther(
  present: Config | null,
  previous: Registration | null,
  serial: string | undefined,
  configFile: string,
): void {
  if (previous !== null && previous.serial === serial) {
    const difference = differenceFromRegistered(previous);
    if (difference !== null) throw clonedMachine(configFile, previous, difference);
  }
  if (present === null || serial === undefined || serial === "auto" || present.serial === serial) return;
  throw new Failure({
    kind: "conflict",
    message: `${configFile} sets this host up as ${present.serial}, but its agent polls as ${serial}`,
    nextStep: `If the agent is right, move that file away and run idc-helper adopt again.`,
  });
}

function answerKept({ json }: AdoptFlags, summary: string): number {
  if (json) printJson({ result: "kept", steps: [], summary });
  else print(summary);
  return EXIT.done;
}
