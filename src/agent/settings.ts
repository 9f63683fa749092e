/**
 * The agent's own settings, `codedeployagent.yml`: where it keeps its things and how often it reads them. Keys
 * are Ruby symbols, so their YAML text begins with a colon (agent, config.rb).
 */
import { join } from "node:path";
import { AGENT_DEFAULTS } from "../config/paths.ts";
import { parseYaml, YamlError } from "../config/yaml.ts";
import { errorCode, errorText } from "../failure.ts";
import { readTextIfPresent } from "../host/read-file.ts";

export interface AgentSettings {
  programName: string;
  onPremisesConfigFile: string;
  /** Holds a file for each lifecycle event in hand. */
  trackingDirectory: string;
  pidFile: string;
  logFile: string;
  /** A credentials file written at W has surely been read by W plus this, in milliseconds. */
  pickupWindowMs: number;
  proxyUri: string | null;
  enableAuthPolicy: boolean;
  /** Where it polls in place of the region's own host (PrivateLink). */
  deployControlEndpoint: string | null;
}

/** The agent takes what it read to last 1,800 s, and reads again once fewer than 300 s of that remain (FACTS). */
const READ_LASTS_MS = 1_500_000;
const LONGEST_BACKOFF_MS = 90_000;
/** Scheduling of the poll's threads, DNS, a slow answer to the last poll. */
const ALLOWANCE_MS = 10_000;
/** Twice as long as any session lasts: an agent that may take longer must be told at each refresh in any case. */
const LONGEST_WINDOW_MS = 86_400_000;
const MAX_BYTES = 256 * 1_024;

export type SettingsReading = { settings: AgentSettings } | { unreadable: string };

export async function readAgentSettings(path: string): Promise<SettingsReading> {
  try {
    const text = await readTextIfPresent(path, { maxBytes: MAX_BYTES, followLink: true });
    const value = text === null ? {} : (parseYaml(text).value ?? {});
    if (typeof value !== "object" || Array.isArray(value)) {
      return { unreadable: `${path} does not hold keys and values` };
    }
    const [key] =
      Object.entries(value).find(([, text]) => typeof text === "string" && text.includes("\0")) ?? [];
    if (key !== undefined) return { unreadable: `${path}: ${key} holds a NUL byte` };
    return { settings: interpret(new Map(Object.entries(value))) };
  } catch (error) {
    // Not the parser's own text: that repeats the lines around, and the agent's proxy may have its password there.
    if (error instanceof YamlError)
      return { unreadable: `${path}:${error.line}: not valid YAML: ${error.message}` };
    const code = errorCode(error);
    return {
      unreadable: `${path} cannot be read: ${code === "EACCES" ? "permission denied" : (code ?? errorText(error))}`,
    };
  }
}

function interpret(values: Map<string, unknown>): AgentSettings {
  const text = (key: string, fallback: string) => {
    const value = values.get(`:${key}`);
    return typeof value === "string" && value !== "" && value !== "null" && value !== "~" ? value : fallback;
  };
  const seconds = (key: string, fallback: number) => {
    const value = Number(text(key, String(fallback)));
    return (Number.isFinite(value) && value >= 0 ? value : fallback) * 1_000;
  };
  const programName = text("program_name", "codedeploy-agent");
  const proxyUri = text("proxy_uri", "");
  const deployControlEndpoint = text("deploy_control_endpoint", "");
  const pause = Math.max(
    LONGEST_BACKOFF_MS,
    seconds("wait_between_runs", 1),
    seconds("wait_after_error", 30),
  );
  return {
    programName,
    onPremisesConfigFile: text("on_premises_config_file", AGENT_DEFAULTS.onPremisesConfigFile),
    trackingDirectory: join(
      text("root_dir", AGENT_DEFAULTS.rootDir),
      text("ongoing_deployment_tracking", "ongoing-deployment"),
    ),
    pidFile: join(text("pid_dir", AGENT_DEFAULTS.pidDir), `${programName}.pid`),
    logFile: join(text("log_dir", AGENT_DEFAULTS.logDir), `${programName}.log`),
    pickupWindowMs: Math.min(
      READ_LASTS_MS + seconds("http_read_timeout", 80) + pause + ALLOWANCE_MS,
      LONGEST_WINDOW_MS,
    ),
    proxyUri: proxyUri === "" ? null : proxyUri,
    enableAuthPolicy: text("enable_auth_policy", "false") === "true",
    deployControlEndpoint: deployControlEndpoint === "" ? null : deployControlEndpoint,
  };
}
