/** `idc-helper deregister`: the end of a host's life with CodeDeploy. The agent stays installed. */

import { access } from "node:fs/promises";
import { type AgentSettings, readAgentSettings } from "../agent/settings.ts";
import type { Config } from "../config/config.ts";
import { CONFIG_FILE } from "../config/paths.ts";
import { EXIT } from "../exit-codes.ts";
import { errorCode, Failure } from "../failure.ts";
import { askYes, isInteractive } from "../host/terminal.ts";
import { clonedMachine, differenceFromRegistered } from "../registration/clone.ts";
import { type DeregisterFlags, deregisterSteps } from "../registration/deregister-steps.ts";
import { readUsableRegistration } from "../registration/record.ts";
import { filesToRemove } from "../registration/removal.ts";
import { usage } from "../registration/request.ts";
import { Progress, SILENT, standardOutput } from "../report/progress.ts";
import { answering, concludeJourney } from "./journey-answer.ts";
import { type Answering, type ConfigOption, print, printJson, readConfig } from "./options.ts";

export interface DeregisterOptions extends DeregisterFlags, ConfigOption, Answering {
  yes?: boolean;
}

export function deregister(options: DeregisterOptions): Promise<number> {
  return answering(options, () => deregisterHost(options));
}

async function deregisterHost(options: DeregisterOptions): Promise<number> {
  const path = options.config ?? CONFIG_FILE;
  if (await isMissing(path)) return answerNothingToDo(path, options);
  const { config } = await readConfig(options, { unknownKeys: "warn", requireTrusted: false });
  await refuseTwin(config, options);
  const reading = await readAgentSettings(config.agent.settingsFile);
  const settings = "settings" in reading ? reading.settings : null;
  await confirm(config, settings, options);
  const progress = new Progress(options.json ? SILENT : standardOutput());
  const { serial } = config;
  progress.say(
    `${options.dryRun ? "What deregistering would do, changing nothing" : "Deregistering"}: ${serial}\n`,
  );
  return concludeJourney({
    command: "deregister",
    steps: await deregisterSteps(config, settings, options),
    progress,
    json: options.json === true,
    success: {
      changed: () => `${serial} is deregistered. AWS keeps the name taken for hours.`,
      kept: () => `Nothing had to be changed: ${serial} is not registered, and nothing of ours runs here.`,
      planned: () => "Nothing was changed. Without --dry-run, the steps above are taken.",
    },
  });
}

async function isMissing(path: string): Promise<boolean> {
  return access(path).then(
    () => false,
    (error: unknown) => errorCode(error) === "ENOENT",
  );
}

function answerNothingToDo(path: string, { json }: Answering): number {
  const summary = `This host is not set up: there is no ${path}. Nothing had to be done.`;
  if (json) printJson({ result: "kept", steps: [], summary });
  else print(summary);
  return EXIT.done;
}

/** On a clone the name is its twin's. */
async function refuseTwin(config: Config, { hostOnly }: DeregisterOptions): Promise<void> {
  if (hostOnly) return;
  const registration = await readUsableRegistration(config.configFile);
  const difference = registration === null ? null : differenceFromRegistered(registration);
  if (registration === null || difference === null) return;
  const { kind, message } = clonedMachine(config.configFile, registration, difference);
  throw new Failure({
    kind,
    message: `${message}; deregistering here would take its name from it`,
    nextStep: "If this is the clone, clean up this host alone: idc-helper deregister --host-only",
  });
}

async function confirm(
  config: Config,
  settings: AgentSettings | null,
  options: DeregisterOptions,
): Promise<void> {
  if (options.yes || options.dryRun) return;
  if (options.json || !isInteractive()) {
    throw usage(
      ["deregistering asks first, and there is no terminal to ask on: add --yes"],
      "idc-helper deregister --yes",
    );
  }
  const files = options.keepFiles ? [] : await filesToRemove(config, settings);
  const what = options.hostOnly
    ? "AWS is left as it is."
    : `${config.serial} in ${config.region} loses its tags and is deregistered: no deployment reaches this host any more, and AWS keeps the name taken for hours.`;
  print(
    `${what}\nThen the service is stopped.${files.length === 0 ? "" : ` Removed are:\n  ${files.join("\n  ")}`}\n`,
  );
  if (await askYes(`Deregister ${config.serial}?`)) return;
  throw new Failure({ kind: "interrupted", message: "not deregistered", nextStep: "Nothing was changed." });
}
