/** Every kind of input that is tried in processes of the campaign, against the code that reads it. */
import type { Kind } from "./kind.ts";
import { crontabs, scripts } from "./kinds/adoption.ts";
import { agentConfig, agentLog, agentSettings, oldConfig, unitProperties } from "./kinds/agent.ts";
import { baseKeys, codedeploy, sts } from "./kinds/aws.ts";
import { configText, cronExpression } from "./kinds/config.ts";
import { agentsFile, baseCredentials, baseProviders } from "./kinds/credentials.ts";
import {
  answers,
  manifests,
  outcomes,
  refreshRecords,
  registrations,
  requests,
  statuses,
  syncRecords,
} from "./kinds/records.ts";
import { argumentValues, environments, machines } from "./kinds/surroundings.ts";

export const KINDS: readonly Kind[] = [
  configText,
  cronExpression,
  baseCredentials,
  baseProviders,
  agentsFile,
  agentSettings,
  agentConfig,
  oldConfig,
  agentLog,
  unitProperties,
  crontabs,
  scripts,
  requests,
  answers,
  statuses,
  refreshRecords,
  syncRecords,
  registrations,
  manifests,
  outcomes,
  environments,
  argumentValues,
  machines,
  sts,
  codedeploy,
  baseKeys,
];
