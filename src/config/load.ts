/** Reads a config file and answers with a whole, valid {@link Config}, or with all that is wrong. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { errorCode, errorText, Failure } from "../failure.ts";
import { readText } from "../host/read-file.ts";
import type { Config, Paths } from "./config.ts";
import { ConfigError, type ConfigIssue } from "./config-error.ts";
import { parseCron } from "./cron.ts";
import {
  BASE_CREDENTIAL_NAME,
  BASE_CREDENTIALS_FILE,
  DEFAULT_PATHS,
  SERVICE_CREDENTIALS,
  stateFiles,
} from "./paths.ts";
import type { ConfigFile } from "./schema.ts";
import { whoElseMayWrite } from "./trust.ts";
import { validate } from "./validate.ts";
import { parseYaml, type YamlDocument, YamlError } from "./yaml.ts";

const MAX_BYTES = 256 * 1_024;

export interface LoadOptions {
  path: string;
  /** `run` and `refresh` go on with a warning: an upgrade or downgrade must not stop a fleet. */
  unknownKeys: "error" | "warn";
  /** Refuse a file that others than root may write. */
  requireTrusted: boolean;
  env: NodeJS.ProcessEnv;
}

export interface LoadedConfig {
  config: Config;
  warnings: ConfigIssue[];
}

/** @throws ConfigError with every issue found */
export async function loadConfig({
  path,
  unknownKeys,
  requireTrusted,
  env,
}: LoadOptions): Promise<LoadedConfig> {
  const source = await readSource(path, requireTrusted);
  return configFromText(source, { path, unknownKeys, env });
}

/**
 * As {@link loadConfig}, of a text that is, or is to be, at that path.
 *
 * @throws ConfigError with every issue found
 */
export function configFromText(
  source: string,
  { path, unknownKeys, env }: Omit<LoadOptions, "requireTrusted">,
): LoadedConfig {
  const { issues, unknown, file } = validate(parseDocument(source, path), path, (parsed) =>
    credentialsPath(parsed, env),
  );
  const errors = unknownKeys === "error" ? [...issues, ...unknown] : issues;
  if (errors.length > 0 || file === null) throw new ConfigError(errors.sort((a, b) => a.line - b.line));
  return { config: resolve(file, path, env), warnings: unknown };
}

function wholeFile(file: string, message: string, line = 1): ConfigError {
  return new ConfigError([{ file, line, key: "", message }]);
}

async function readSource(path: string, requireTrusted: boolean): Promise<string> {
  try {
    // A link is fine here (configuration management makes them); what counts is who may write its target.
    const source = await readText(path, { maxBytes: MAX_BYTES, followLink: true });
    const untrusted = requireTrusted ? whoElseMayWrite(path) : null;
    if (untrusted === null) return source;
    throw wholeFile(
      path,
      `refused in a service: ${untrusted}. Mend with: chown root:root FILE; chmod 0644 FILE`,
    );
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = errorCode(error);
    if (code === "ENOENT") {
      throw wholeFile(
        path,
        "there is no such file. idc-helper register writes it; or name another with --config",
      );
    }
    throw wholeFile(path, `cannot be read: ${code === "EACCES" ? "permission denied" : errorText(error)}`);
  }
}

function parseDocument(source: string, path: string): YamlDocument {
  try {
    return parseYaml(source);
  } catch (error) {
    if (error instanceof YamlError) throw wholeFile(path, `not valid YAML: ${error.message}`, error.line);
    throw error;
  }
}

function resolve(file: ConfigFile, configFile: string, env: NodeJS.ProcessEnv): Config {
  const paths = resolvePaths(file, env);
  const { base_credentials, credentials_file, agent, network } = file;
  return {
    configFile,
    serial: file.serial,
    region: file.region,
    roleArn: file.role_arn,
    sessionDurationMs: file.session_duration,
    schedule: file.schedule,
    offsetMs: offsetOf(file),
    baseCredentials: resolveBaseCredentials(base_credentials, env),
    credentialsFile: { ...credentials_file, path: credentialsPath(file, env) },
    agent: {
      service: agent.service,
      settingsFile: agent.settings_file,
      onDrift: agent.on_drift,
      reload: agent.reload,
    },
    network: {
      proxy: network.proxy,
      caBundle: network.ca_bundle,
      connectTimeoutMs: network.connect_timeout,
      requestTimeoutMs: network.request_timeout,
    },
    endpoints: file.endpoints,
    metrics: file.metrics,
    paths,
    log: file.log,
  };
}

/**
 * Where the operator named no file, systemd may have given the service one (systemd.exec(5), `LoadCredential=`). Root's
 * commands find it where systemd keeps it while the service runs; a file in the default place goes before that.
 */
function resolveBaseCredentials(
  { file, profile }: ConfigFile["base_credentials"],
  { CREDENTIALS_DIRECTORY: own }: NodeJS.ProcessEnv,
): Config["baseCredentials"] {
  const isDefault = file === BASE_CREDENTIALS_FILE;
  if (!isDefault) return { file, profile, isDefault };
  const given = own ? [own] : existsSync(file) ? [] : [SERVICE_CREDENTIALS];
  const found = given.map((directory) => join(directory, BASE_CREDENTIAL_NAME)).find(existsSync);
  return found === undefined ? { file, profile, isDefault } : { file: found, profile, isDefault: false };
}

function resolvePaths(file: ConfigFile, env: NodeJS.ProcessEnv): Paths {
  return {
    stateDir: systemdsDirectory("STATE_DIRECTORY", env) ?? file.paths.state_dir ?? DEFAULT_PATHS.stateDir,
    runtimeDir:
      systemdsDirectory("RUNTIME_DIRECTORY", env) ?? file.paths.runtime_dir ?? DEFAULT_PATHS.runtimeDir,
    agentRuntimeDir: file.paths.agent_runtime_dir ?? DEFAULT_PATHS.agentRuntimeDir,
  };
}

/**
 * systemd separates several directories by colons; our units ask for one.
 *
 * @throws Failure `config` for what systemd would not set: files would go to wherever the command was started
 */
function systemdsDirectory(variable: string, env: NodeJS.ProcessEnv): string | null {
  const [directory = ""] = env[variable]?.split(":") ?? [];
  if (directory === "") return null;
  if (isAbsolute(directory) && !/\p{Cc}/u.test(directory)) return directory;
  throw new Failure({
    kind: "config",
    message: `${variable} in the environment is ${JSON.stringify(directory.slice(0, 100))}; the absolute path of a directory is allowed`,
    nextStep: "Unset it: systemd sets it for a service, and nobody else needs to.",
  });
}

/** Where the credentials go, named or not. */
function credentialsPath(file: ConfigFile, env: NodeJS.ProcessEnv): string {
  return file.credentials_file.path ?? stateFiles(resolvePaths(file, env)).credentials;
}

/**
 * This host's shift of the schedule: stable for a serial, spread evenly over a fleet, and never drawn by chance,
 * so that a restart keeps it.
 */
export function offsetOf({
  serial,
  splay,
  schedule,
}: Pick<ConfigFile, "serial" | "splay" | "schedule">): number {
  const hash = createHash("sha256").update(serial).digest().readUIntBE(0, 6);
  return Math.floor((hash / 2 ** 48) * (splay === "auto" ? shortestGapMs(schedule) : splay));
}

function shortestGapMs(schedule: string): number {
  const cron = parseCron(schedule);
  return "error" in cron ? 0 : cron.shortestGapMs;
}
