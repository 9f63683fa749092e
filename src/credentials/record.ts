/**
 * What the last refresh wrote and when: the facts that must outlive a process, a restart and a reboot. No secret
 * is in here; the file itself is known by its hash.
 */
import { createHash } from "node:crypto";
import { errorCode } from "../failure.ts";
import { replaceFile } from "../host/atomic-file.ts";
import { type Instant, isTimeMs } from "../host/clock.ts";
import { hashSecretFile, readTextIfPresent } from "../host/read-file.ts";

/** One replacement of the file. All instants are of CLOCK_BOOTTIME, in milliseconds, within the record's boot. */
export interface Write {
  atBootMs: number;
  /** When what the file held before expires; null when that is not known, or there was nothing before. */
  previousExpiresBootMs: number | null;
}

export interface RefreshRecord {
  /** Of the whole credentials file, in hexadecimal. */
  sha256: string;
  sessionArn: string;
  /** The profile it was written under, and the group it was handed to. */
  profile: string;
  group: string | null;
  issuedAt: string;
  expiresAt: string;
  bootId: string;
  issuedBootMs: number;
  expiresBootMs: number;
  /** AWS's clock minus the host's when it was issued, in milliseconds; absent where that was not known. */
  skewMs?: number;
  /** This boot's writes that the agent may not have picked up yet, oldest first. */
  writes: Write[];
  /**
   * What was true before: kept because the record is written first. Where a refresh was killed in between, the file is
   * still the one that this tells of.
   */
  replaces?: Omit<RefreshRecord, "replaces">;
  /** A session duration that the role refused, so that it is not asked for at every refresh. */
  refusedDuration: { roleArn: string; askedMs: number; atMs: number } | null;
}

/** Longer than any pickup window; steps of the clock beyond this are dealt with when they happen. */
const WRITES_KEPT_MS = 4 * 3_600_000;
const MAX_BYTES = 64 * 1_024;
const MAX_FILE_BYTES = 1_024 * 1_024;

/** @returns the record that tells of the credentials file as it is now */
export async function readRecord(path: string, credentialsFile: string): Promise<RefreshRecord | null> {
  try {
    const text = await readTextIfPresent(path, { maxBytes: MAX_BYTES });
    const value: unknown = text === null ? null : JSON.parse(text);
    if (!isRecord(value)) return null;
    const isOld = isRecord(value.replaces) && (await hashOf(credentialsFile)) === value.replaces.sha256;
    return isOld ? (value.replaces ?? null) : value;
  } catch {
    // An unreadable record is no record: the file then counts as not ours, and a refresh makes both anew.
    return null;
  }
}

/** @returns null where it cannot be read */
async function hashOf(credentialsFile: string): Promise<string | null> {
  return hashSecretFile(credentialsFile, { maxBytes: MAX_FILE_BYTES }).catch(() => null);
}

export async function writeRecord(path: string, record: RefreshRecord): Promise<void> {
  await replaceFile(path, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o644 });
}

/** `outdated`: ours, but made for another role, serial, profile or group than are wanted now. */
export type FileState = "ours" | "outdated" | "missing" | "foreign";

export type Wanted = Pick<RefreshRecord, "sessionArn" | "profile" | "group">;

/** Whether the credentials file is the one that the record tells of, and what is wanted. */
export async function inspectFile(
  path: string,
  record: RefreshRecord | null,
  wanted: Wanted,
): Promise<FileState> {
  try {
    const found = await hashSecretFile(path, { maxBytes: MAX_FILE_BYTES });
    if (record === null || found !== record.sha256) return "foreign";
    const { sessionArn, profile, group } = wanted;
    const isWanted = record.sessionArn === sessionArn && record.profile === profile && record.group === group;
    return isWanted ? "ours" : "outdated";
  } catch (error) {
    return errorCode(error) === "ENOENT" ? "missing" : "foreign";
  }
}

export function sha256(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/**
 * A virtual machine that was paused misses time on every clock of its own but the wall clock, once that is set right
 * again. A forward step that large beyond what the clock is known to have been off by is no correction.
 */
const SMALLEST_MISSED_MS = 10 * 60_000;

function missedMs({ issuedAt, issuedBootMs, skewMs = 0 }: RefreshRecord, now: Instant): number {
  const stepped = now.wallMs - Date.parse(issuedAt) - (now.bootMs - issuedBootMs);
  // As far as the clock was behind AWS's, a step forward only puts it right. Where it was ahead, and has not been
  // stepped since, nothing is missing.
  return Math.min(stepped, stepped - skewMs) >= SMALLEST_MISSED_MS ? stepped - skewMs : 0;
}

/** When the recorded credentials expire, on this boot's clock, however the wall clock was corrected meanwhile. */
export function expiresBootMs(record: RefreshRecord, now: Instant, bootId: string): number {
  if (record.bootId === bootId) return record.expiresBootMs - missedMs(record, now);
  return now.bootMs + Date.parse(record.expiresAt) - now.wallMs;
}

/**
 * Half of the session's life, on this boot's clock. What was issued before the boot is past it: how long the host was
 * off only the wall clock tells, which may start hours behind.
 */
export function halfLifeBootMs(record: RefreshRecord, now: Instant, bootId: string): number {
  if (record.bootId !== bootId) return Number.NEGATIVE_INFINITY;
  const expires = expiresBootMs(record, now, bootId);
  return expires - (record.expiresBootMs - record.issuedBootMs) / 2;
}

/** The writes to remember after one more. */
export function addWrite(before: RefreshRecord | null, write: Write, bootId: string): Write[] {
  const kept = before?.bootId === bootId ? before.writes : [];
  return [...kept.filter(({ atBootMs }) => write.atBootMs - atBootMs < WRITES_KEPT_MS), write].slice(-64);
}

function isRecord(value: unknown): value is RefreshRecord {
  if (typeof value !== "object" || value === null) return false;
  const { sha256, issuedAt, expiresAt, bootId, issuedBootMs, expiresBootMs, writes } =
    value as Partial<RefreshRecord>;
  if (!Array.isArray(writes) || !writes.every(isWrite)) return false;
  const strings = [sha256, issuedAt, expiresAt, bootId].every((field) => typeof field === "string");
  const times = [issuedBootMs, expiresBootMs].every(isTimeMs);
  return strings && times && !Number.isNaN(Date.parse(expiresAt ?? ""));
}

function isWrite(value: unknown): value is Write {
  if (typeof value !== "object" || value === null) return false;
  const { atBootMs, previousExpiresBootMs } = value as Partial<Write>;
  return isTimeMs(atBootMs) && (previousExpiresBootMs === null || isTimeMs(previousExpiresBootMs));
}
