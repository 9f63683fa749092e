/**
 * The configuration as the program uses it: every default filled in, every duration in milliseconds.
 *
 * Plain JSON on purpose. `run` hands it to the `refresh` it starts, so that a config file being edited cannot
 * reach a running service before it has been read and found good as a whole.
 */
export interface Config {
  /** Where it was read from, for messages. */
  configFile: string;
  /** Instance name and role session name. */
  serial: string;
  region: string;
  roleArn: string;
  sessionDurationMs: number;
  /** Cron expression of five fields, or six with seconds; local time. */
  schedule: string;
  /** This host's own shift of the schedule, in milliseconds. */
  offsetMs: number;
  baseCredentials: {
    file: string;
    /** Where the file does not exist, the SDK's own chain takes its place only if the operator named no file. */
    isDefault: boolean;
    profile: string;
  };
  credentialsFile: { path: string; profile: string; group: string | null };
  agent: {
    service: string;
    settingsFile: string;
    onDrift: "repair" | "report";
    reload: "auto" | "never";
  };
  network: {
    proxy: string | null;
    caBundle: string | null;
    connectTimeoutMs: number;
    requestTimeoutMs: number;
  };
  endpoints: { sts: string | null; codedeploy: string | null };
  metrics: { textfile: string | null };
  paths: Paths;
  log: { level: LogLevel; format: LogFormat };
}

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "auto" | "human" | "json" | "journal";

export interface Paths {
  stateDir: string;
  runtimeDir: string;
  agentRuntimeDir: string;
}
