/** What several commands have in common: how they find their config, and how they answer. */
import { readFileSync } from "node:fs";
import type { Config } from "../config/config.ts";
import type { LoadedConfig } from "../config/load.ts";
import { CONFIG_FILE } from "../config/paths.ts";
import { isSystemdService } from "../host/service-environment.ts";

const STANDARD_INPUT = 0;

export interface ConfigOption {
  /** The `--config` flag. */
  config?: string;
}

export interface Answering {
  json?: boolean;
}

export interface ReadConfigOptions {
  /** Commands of a service go on past unknown keys; what an operator types does not. */
  unknownKeys: "error" | "warn";
  requireTrusted?: boolean;
}

export async function readConfig(
  { config }: ConfigOption,
  options: ReadConfigOptions,
): Promise<LoadedConfig> {
  // Parser and validation are for those who read the file: `run` and its refreshes get the outcome of another's reading.
  const { loadConfig } = await import("../config/load.ts");
  const { unknownKeys, requireTrusted = isSystemdService() } = options;
  return loadConfig({ path: config ?? CONFIG_FILE, unknownKeys, requireTrusted, env: process.env });
}

/** The config that `run` hands to its children; it has been read and checked as a whole before. */
export function readResolvedConfig(): Config {
  // Not through `process.stdin`: to make a stream of it takes as long as to assume the role does.
  return JSON.parse(readFileSync(STANDARD_INPUT, "utf8")) as Config;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One line, as programs want it; laid out for a person on a terminal where the answer is long. */
export function printJson(value: unknown, { isLong = false } = {}): void {
  print(JSON.stringify(value, null, isLong && process.stdout.isTTY ? 2 : 0));
}
