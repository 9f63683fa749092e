/** What the root oneshot must know of its own earlier runs in this boot. Only root writes and reads it. */
import type { Paths } from "../config/config.ts";
import { agentRuntimeFiles } from "../config/paths.ts";
import { errorText, Failure } from "../failure.ts";
import { replaceFile } from "../host/atomic-file.ts";
import { readTextIfPresent } from "../host/read-file.ts";
import { isSyncRecord } from "./answer-shape.ts";

export interface LeavingWorker {
  pid: number;
  startTicks: number;
  /** For the first time. */
  askedBootMs: number;
}

export interface SyncRecord {
  bootId: string;
  /** What the agent's config said when last seen, and since when it has been saying so. */
  config: { meaning: string; sinceBootMs: number } | null;
  /** What the service last said is in force, or root set by hand since; null before either. */
  inForce: string | null;
  lastReloadBootMs: number | null;
  /** The last of them that was also for credentials. */
  lastCredentialsReloadBootMs: number | null;
  /** Why the last reload failed; null when it did not. */
  lastFailure: { detail: string; nextStep: string } | null;
  /** Since when the agent has been running without a worker; null while it has one, or is not running. */
  workerMissingSinceBootMs: number | null;
  /** The worker that was asked to end and had not ended yet when we last looked. */
  leaving: LeavingWorker | null;
}

/** A record of another boot is worth nothing: the agent's processes are all new. */
export async function readSyncRecord(paths: Paths, bootId: string): Promise<SyncRecord> {
  const fresh: SyncRecord = {
    bootId,
    config: null,
    inForce: null,
    lastReloadBootMs: null,
    lastCredentialsReloadBootMs: null,
    lastFailure: null,
    workerMissingSinceBootMs: null,
    leaving: null,
  };
  try {
    const text = await readTextIfPresent(agentRuntimeFiles(paths).syncRecord, { maxBytes: 256 * 1_024 });
    const value: unknown = text === null ? null : JSON.parse(text);
    if (typeof value !== "object" || value === null) return fresh;
    const known = value as Partial<SyncRecord>;
    const record = { ...fresh, ...known };
    return known.bootId === bootId && isSyncRecord(record) ? record : fresh;
  } catch {
    return fresh;
  }
}

/** @throws Failure `cannot_write`: without its record root would not know a config that it mends now for a new one */
export async function writeSyncRecord(paths: Paths, record: SyncRecord): Promise<void> {
  const path = agentRuntimeFiles(paths).syncRecord;
  try {
    await replaceFile(path, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  } catch (error) {
    throw new Failure({
      kind: "cannot_write",
      message: `the record ${path} was not written: ${errorText(error)}`,
      nextStep: "Its directory belongs to root; systemd-tmpfiles --create makes it.",
    });
  }
}
