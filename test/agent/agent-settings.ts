/**
 * `codedeployagent.yml`, as the original reads it: YAML whose keys are Ruby symbols, so that their text begins with
 * a colon; a key that is missing falls back on the default in `instance_agent/config.rb` (FACTS).
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";

export interface AgentSettings {
  programName: string;
  logDir: string;
  pidDir: string;
  rootDir: string;
  /** Name of the folder in `rootDir` that holds a file for each event in progress. */
  ongoingDeploymentTracking: string;
  onPremisesConfigFile: string;
  waitBetweenRunsSeconds: number;
  httpReadTimeoutSeconds: number;
  killAgentMaxWaitSeconds: number;
  /** Whether lines of level DEBUG are logged. */
  verbose: boolean;
  /** Whether it calls the service under the name for which IAM asks for rights. */
  enableAuthPolicy: boolean;
}

export function readAgentSettings(path: string): AgentSettings {
  const values = withoutColons(load(readFileSync(path, "utf8")), path);
  return {
    programName: text(values, "program_name", "codedeploy-agent"),
    logDir: text(values, "log_dir", "/var/log/aws/codedeploy-agent"),
    pidDir: text(values, "pid_dir", "/opt/codedeploy-agent/state/.pid"),
    rootDir: text(values, "root_dir", "/opt/codedeploy-agent/deployment-root"),
    ongoingDeploymentTracking: text(values, "ongoing_deployment_tracking", "ongoing-deployment"),
    onPremisesConfigFile: text(
      values,
      "on_premises_config_file",
      "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml",
    ),
    waitBetweenRunsSeconds: seconds(values, "wait_between_runs", 30),
    httpReadTimeoutSeconds: seconds(values, "http_read_timeout", 80),
    killAgentMaxWaitSeconds: seconds(values, "kill_agent_max_wait_time_seconds", 7200),
    verbose: values.verbose === true,
    enableAuthPolicy: values.enable_auth_policy === true,
  };
}

export const pidFile = (settings: AgentSettings) => join(settings.pidDir, `${settings.programName}.pid`);
export const logFile = (settings: AgentSettings) => join(settings.logDir, `${settings.programName}.log`);
export const trackingDirectory = (settings: AgentSettings) =>
  join(settings.rootDir, settings.ongoingDeploymentTracking);

/**
 * A YAML mapping with the keys as the original sees them: `:region` and `region` are the same symbol.
 *
 * @throws if the document is not a mapping, as calling `symbolize_keys` on it would
 */
export function withoutColons(document: unknown, path: string): Record<string, unknown> {
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new Error(`${path} is not a YAML mapping`);
  }
  return Object.fromEntries(Object.entries(document).map(([key, value]) => [key.replace(/^:/, ""), value]));
}

function text(values: Record<string, unknown>, key: string, fallback: string): string {
  const value = values[key];
  return typeof value === "string" && value !== "" ? value : fallback;
}

function seconds(values: Record<string, unknown>, key: string, fallback: number): number {
  const value = values[key];
  return typeof value === "number" ? Math.trunc(value) : fallback;
}
