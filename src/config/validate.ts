/** Holds a config file's values against the schema and each other; every issue with its place and what was found. */
import * as z from "zod/mini";
import { findMisfits } from "./combinations.ts";
import type { ConfigIssue } from "./config-error.ts";
import { type ConfigFile, configSchema } from "./schema.ts";
import type { YamlDocument } from "./yaml.ts";

export interface Validation {
  issues: ConfigIssue[];
  unknown: ConfigIssue[];
  file: ConfigFile | null;
}

/** @param credentialsPathOf where the session credentials go, named in the file or not */
export function validate(
  document: YamlDocument,
  path: string,
  credentialsPathOf: (file: ConfigFile) => string,
): Validation {
  const value = document.value ?? {};
  const at = (key: readonly PropertyKey[], message: string): ConfigIssue => {
    return { file: path, line: document.lineOf(key), key: key.map(String).join("."), message };
  };
  const misfits = (file: ConfigFile) =>
    findMisfits(file, { configFile: path, credentialsPath: credentialsPathOf(file) });
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
  if (schema instanceof z.ZodMiniObject) return schema.shape;
  if (schema instanceof z.ZodMiniPipe) return shapeOf(schema.def.out);
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
    const shown = withoutPassword(node);
    return JSON.stringify(shown.length > 100 ? `${shown.slice(0, 100)}…` : shown);
  }
  return Array.isArray(node) ? "a list" : "keys and values";
}

/** From the first `//` to the last `@`; a pattern for that looks from each `//` anew, for minutes in a file of them. */
function withoutPassword(text: string): string {
  const [from, to] = [text.indexOf("//"), text.lastIndexOf("@")];
  return from === -1 || to < from + 2 ? text : `${text.slice(0, from)}//***${text.slice(to)}`;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
