/** Reads a config file and answers with a whole, valid {@link Config}, or with all that is wrong. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { errorCode, errorText } from "../failure.ts";
import { readText } from "../host/read-file.ts";
import { findMisfits } from "./combinations.ts";
import type { Config, Paths } from "./config.ts";
import { ConfigError, type ConfigIssue } from "./config-error.ts";
import { parseCron } from "./cron.ts";
import { BASE_CREDENTIAL_NAME, BASE_CREDENTIALS_FILE, DEFAULT_PATHS, stateFiles } from "./paths.ts";
import { type ConfigFile, configSchema } from "./schema.ts";
import { whoElseMayWrite } from "./trust.ts";
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
  const { issues, unknown, file } = validate(parseDocument(source, path), path, env);
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

interface Validation {
  issues: ConfigIssue[];
  unknown: ConfigIssue[];
  file: ConfigFile | null;
}

function validate(document: YamlDocument, path: string, env: NodeJS.ProcessEnv): Validation {
  const value = document.value ?? {};
  const at = (key: readonly PropertyKey[], message: string): ConfigIssue => {
    return { file: path, line: document.lineOf(key), key: key.map(String).join("."), message };
  };
  const misfits = (file: ConfigFile) =>
    findMisfits(file, { configFile: path, credentialsPath: credentialsPath(file, env) });
  const parsed = configSchema.safeParse(value);
  if (parsed.success) {
    const issues = misfits(parsed.data).map(({ key, message }) => {
      return at(key, `found ${found(value, key)}; ${message}`);
    });
    return { issues, unknown: [], file: issues.length > 0 ? null : parsed.data };
  }
  const unknown = parsed.error.issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return [];
    return issue.keys.map((key) =>
      at([...issue.path, key], `unknown key; known here: ${knownKeys(issue.path)}`),
    );
  });
  const wrong = parsed.error.issues.filter((issue) => issue.code !== "unrecognized_keys");
  const issues = wrong.map((issue) =>
    at(issue.path, `found ${found(value, issue.path)}; allowed: ${issue.message}`),
  );
  const reparsed = configSchema.safeParse(repaired(value, parsed.error.issues));
  if (!reparsed.success) return { issues, unknown, file: null };
  const wrongKeys = new Set(wrong.map((issue) => issue.path.join(".")));
  const isWrong = (key: readonly string[]) =>
    key.some((_, index) => wrongKeys.has(key.slice(0, index + 1).join(".")));
  for (const { key, involves, message } of misfits(reparsed.data)) {
    if (!involves.some(isWrong)) issues.push(at(key, `found ${found(value, key)}; ${message}`));
  }
  return { issues, unknown, file: issues.length > 0 ? null : reparsed.data };
}

/** Stands in for required values that are wrong, so that the rest can still be judged together. */
const PLACEHOLDERS: Record<string, string> = {
  serial: "placeholder",
  region: "xx-placeholder-1",
  role_arn: "arn:aws:iam::000000000000:role/placeholder",
};

/** A copy without unknown keys and with defaults, or placeholders, for what is wrong. */
function repaired(value: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  if (!isMapping(value)) return PLACEHOLDERS;
  const copy = structuredClone(value);
  const drop = (path: readonly PropertyKey[]) => {
    const parent = path
      .slice(0, -1)
      .reduce<unknown>((node, key) => (isMapping(node) ? node[String(key)] : null), copy);
    if (isMapping(parent)) delete parent[String(path.at(-1))];
  };
  for (const issue of issues) {
    if (issue.code === "unrecognized_keys") for (const key of issue.keys) drop([...issue.path, key]);
    else drop(issue.path);
  }
  return { ...PLACEHOLDERS, ...copy };
}

function knownKeys(path: readonly PropertyKey[]): string {
  const schema = path.reduce<unknown>((node, key) => {
    const shape = shapeOf(node);
    return shape?.[String(key)];
  }, configSchema);
  return Object.keys(shapeOf(schema) ?? {}).join(", ");
}

function shapeOf(schema: unknown): Record<string, unknown> | null {
  if (schema instanceof z.ZodObject) return schema.shape;
  if (schema instanceof z.ZodPipe) return shapeOf(schema.out);
  return null;
}

/** Values that are URLs, and may carry a password before their last `@`, whatever else is wrong with them. */
const URL_KEYS: ReadonlySet<string> = new Set(["network.proxy", "endpoints.sts", "endpoints.codedeploy"]);

/** What an operator wrote, short enough for a message and without a password that a URL may carry. */
function found(value: unknown, path: readonly PropertyKey[]): string {
  const node = path.reduce<unknown>(
    (parent, key) => (isMapping(parent) ? parent[String(key)] : undefined),
    value,
  );
  if (node === undefined) return path.length === 0 ? describe(value) : "nothing";
  if (typeof node === "string" && URL_KEYS.has(path.join(".")))
    return describe(node.replace(/^.*@/s, "***@"));
  return describe(node);
}

function describe(node: unknown): string {
  if (node === null) return "null";
  if (typeof node === "string") {
    const shown = node.replace(/\/\/.*@/gs, "//***@");
    return JSON.stringify(shown.length > 100 ? `${shown.slice(0, 100)}…` : shown);
  }
  return Array.isArray(node) ? "a list" : "keys and values";
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
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

/** Where the operator named no file, systemd may have given us one (systemd.exec(5), `LoadCredential=`). */
function resolveBaseCredentials(
  { file, profile }: ConfigFile["base_credentials"],
  { CREDENTIALS_DIRECTORY: directory }: NodeJS.ProcessEnv,
): Config["baseCredentials"] {
  const isDefault = file === BASE_CREDENTIALS_FILE;
  const given = directory ? join(directory, BASE_CREDENTIAL_NAME) : null;
  if (isDefault && given !== null && existsSync(given)) return { file: given, profile, isDefault: false };
  return { file, profile, isDefault };
}

function resolvePaths(file: ConfigFile, env: NodeJS.ProcessEnv): Paths {
  return {
    // systemd separates several directories by colons; our units ask for one.
    stateDir: env.STATE_DIRECTORY?.split(":")[0] || (file.paths.state_dir ?? DEFAULT_PATHS.stateDir),
    runtimeDir: env.RUNTIME_DIRECTORY?.split(":")[0] || (file.paths.runtime_dir ?? DEFAULT_PATHS.runtimeDir),
    agentRuntimeDir: file.paths.agent_runtime_dir ?? DEFAULT_PATHS.agentRuntimeDir,
  };
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
