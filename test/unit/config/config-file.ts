/** A config file for a test, and what loading it came to. */
import { writeFileSync } from "node:fs";
import type { Config } from "../../../src/config/config.ts";
import { ConfigError, type ConfigIssue } from "../../../src/config/config-error.ts";
import { type LoadedConfig, type LoadOptions, loadConfig } from "../../../src/config/load.ts";

export const REQUIRED = [
  "serial: serial-ABCDEFG",
  "region: ap-northeast-2",
  "role_arn: arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile",
];

/** The three required keys with some lines after them. */
export const withLines = (...lines: string[]) => [...REQUIRED, ...lines, ""].join("\n");

/** The required keys, one of them replaced. */
export const replacing = (key: string, value: string) =>
  [...REQUIRED.filter((line) => !line.startsWith(`${key}:`)), `${key}: ${value}`, ""].join("\n");

/** `a.b` and `v` as the lines of a mapping in a mapping. */
export function nested(key: string, value: string): string {
  const [first = "", second] = key.split(".");
  return second === undefined ? `${first}: ${value}` : `${first}:\n  ${second}: ${value}`;
}

export type Overrides = Partial<Omit<LoadOptions, "path">>;

export function load(path: string, overrides: Overrides = {}): Promise<LoadedConfig> {
  return loadConfig({ path, unknownKeys: "error", requireTrusted: false, env: {}, ...overrides });
}

export async function loadText(path: string, text: string, overrides: Overrides = {}): Promise<Config> {
  writeFileSync(path, text);
  return (await load(path, overrides)).config;
}

export async function errorOf(path: string, overrides: Overrides = {}): Promise<ConfigError> {
  const error = await load(path, overrides).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ConfigError) return error;
  throw new Error(`expected a ConfigError, not ${String(error)}`);
}

export async function issuesOf(
  path: string,
  text: string,
  overrides: Overrides = {},
): Promise<ConfigIssue[]> {
  writeFileSync(path, text);
  return (await errorOf(path, overrides)).issues;
}
