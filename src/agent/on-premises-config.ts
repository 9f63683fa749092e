/**
 * The agent's on-premises config: desired against actual, by meaning and not by bytes, and its repair.
 *
 * The agent wants exactly these three keys; `iam_user_arn` beside them is an error to it (FACTS). An old host has
 * a user's key in there in clear text, so only values of known, harmless keys are ever shown.
 */
import { readdir, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { dump, FAILSAFE_SCHEMA, load } from "js-yaml";
import { errorCode, errorText } from "../failure.ts";
import { AtomicFile, replaceFile } from "../host/atomic-file.ts";
import { readTextIfPresent } from "../host/read-file.ts";
import { type OnPremisesConfig, WANTED_KEYS } from "./desired-config.ts";

/** What an IAM user's registration leaves there; the agent refuses the file, or prefers them. */
const UNWANTED_KEYS = ["iam_user_arn", "aws_access_key_id", "aws_secret_access_key"] as const;
const SHOWN_KEYS: ReadonlySet<string> = new Set([...WANTED_KEYS, "iam_user_arn"]);

const MAX_BYTES = 64 * 1_024;
const BACKUPS_KEPT = 10;

export interface Difference {
  key: string;
  /** Null when it is not there. */
  found: string | null;
  /** Null when it must not be there. */
  wanted: string | null;
}

export type Reading =
  | { kind: "read"; text: string; differences: Difference[]; meaning: string }
  | { kind: "missing" }
  | { kind: "unreadable"; why: string };

export async function readOnPremisesConfig(path: string, desired: OnPremisesConfig): Promise<Reading> {
  try {
    const text = await readTextIfPresent(path, { maxBytes: MAX_BYTES });
    if (text === null) return { kind: "missing" };
    const values = parse(text);
    const differences = values === null ? [notYaml()] : compare(values, desired);
    return {
      kind: "read",
      text,
      differences,
      meaning: JSON.stringify(values === null ? null : [...values].sort()),
    };
  } catch (error) {
    const code = errorCode(error);
    return { kind: "unreadable", why: code === "EACCES" ? "permission denied" : errorText(error) };
  }
}

function parse(text: string): Map<string, string> | null {
  try {
    const value = load(text, { schema: FAILSAFE_SCHEMA, maxAliases: 0 });
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    return new Map(
      Object.entries(value).map(([key, entry]) => [key, typeof entry === "string" ? entry : "(not text)"]),
    );
  } catch {
    return null;
  }
}

function notYaml(): Difference {
  return { key: "(whole file)", found: "not a YAML mapping", wanted: WANTED_KEYS.join(", ") };
}

export function compare(values: ReadonlyMap<string, string>, desired: OnPremisesConfig): Difference[] {
  const wrong = WANTED_KEYS.filter((key) => values.get(key) !== desired[key]).map((key) => ({
    key,
    found: values.get(key) ?? null,
    wanted: desired[key],
  }));
  const extra = UNWANTED_KEYS.filter((key) => values.has(key)).map((key) => ({
    key,
    found: SHOWN_KEYS.has(key) ? (values.get(key) ?? null) : "***",
    wanted: null,
  }));
  return [...wrong, ...extra];
}

/**
 * Puts the desired config in place, keeping what was there beside it under its time.
 *
 * @returns the backup's path, or null when there was nothing to keep
 */
export async function repairOnPremisesConfig(
  path: string,
  desired: OnPremisesConfig,
  old: Reading,
  now: Date,
): Promise<string | null> {
  const backup = old.kind === "read" ? await keepBackup(path, old.text, now) : null;
  const header =
    "# Kept by idc-codedeploy-helper: it says what /etc/idc-codedeploy-helper/config.yaml says.\n";
  // World-readable: no secret is in it, and the agent may run as another user.
  await replaceFile(path, header + dump(desired), { mode: 0o644 });
  return backup;
}

async function keepBackup(path: string, text: string, now: Date): Promise<string> {
  const stamp = now.toISOString().replace(/[-:]/g, "").replace(".", "");
  const backup = `${path}.${stamp}.bak`;
  // The old file may hold a user's key: private, whatever its mode was. Half a copy would push out whole ones.
  const file = await AtomicFile.create(path, { mode: 0o600 });
  await file.commit(text, backup);
  await dropOldBackups(path);
  return backup;
}

/** Something that fights over the file with us must not fill the disk. */
async function dropOldBackups(path: string): Promise<void> {
  for (const backup of (await backupsOf(path)).slice(0, -BACKUPS_KEPT)) await unlink(backup);
}

/** What {@link repairOnPremisesConfig} has kept of a config, the oldest first. @throws the system error */
export async function backupsOf(path: string): Promise<string[]> {
  const pattern = new RegExp(`^${RegExp.escape(basename(path))}\\.\\d{8}T\\d{9}Z\\.bak$`);
  const names = (await readdir(dirname(path))).filter((name) => pattern.test(name)).sort();
  return names.map((name) => join(dirname(path), name));
}
