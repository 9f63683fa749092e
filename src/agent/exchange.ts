/**
 * What `run` and the root oneshot say to each other: a request in a directory that the service may write, an
 * answer in one that only root may.
 */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, opendir, rename, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Paths } from "../config/config.ts";
import { agentRuntimeFiles } from "../config/paths.ts";
import { errorCode, errorText, Failure } from "../failure.ts";
import { isTimeMs } from "../host/clock.ts";
import { readTextIfPresent } from "../host/read-file.ts";
import { isAnswer } from "./answer-shape.ts";
import type { Difference } from "./on-premises-config.ts";
import type { ServiceState } from "./service.ts";

/** An instant of one boot of the host. */
export interface BootInstant {
  bootId: string;
  bootMs: number;
}

export interface SyncRequest {
  /** Comes back in the answer. */
  id: string;
  /** The agent's worker must have started since; null when it may load in its own time. */
  credentialsSince: BootInstant | null;
  /**
   * Digest of the agent's config as it follows from the configuration in force; null when the asker has none. Root
   * reads the configuration for itself, but one that the service has not taken up yet must not reach the agent.
   */
  inForce: string | null;
}

export type ConfigState = "matches" | "repaired" | "drifted" | "missing" | "unknown";
export type ReloadState =
  | "not_needed"
  | "under_way"
  | "done"
  | "restarted"
  | "deferred"
  | "off"
  | "failed"
  | "not_running";
export type ReloadCause = "credentials" | "config";

export interface SyncAnswer {
  /** Of the request; null for a run that nobody asked for. */
  id: string | null;
  at: string;
  bootId: string;
  bootMs: number;
  pickupWindowMs: number;
  agent: {
    state: ServiceState;
    detail: string;
    masterPid: number | null;
    workerPid: number | null;
    workerStartedBootMs: number | null;
    invocationId: string | null;
  };
  config: {
    state: ConfigState;
    file: string;
    detail: string;
    differences: Difference[];
    backup: string | null;
  };
  reload: {
    state: ReloadState;
    causes: ReloadCause[];
    detail: string;
    nextStep: string;
  };
}

const MAX_REQUEST_BYTES = 4_096;
const MAX_ANSWER_BYTES = 64 * 1_024;

/**
 * Puts a request in place, whole at once. The directory may be written but not listed by us (0730).
 *
 * @throws the system error
 */
export async function sendRequest(paths: Paths, request: SyncRequest): Promise<void> {
  const { request: path, requestDirectory } = agentRuntimeFiles(paths);
  const temporary = join(requestDirectory, `.new.${process.pid}`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const file = await open(temporary, flags, 0o644);
  try {
    // Root has no capabilities there and reads it as one of the others, whatever our umask and group are; nobody
    // else can enter the directory.
    await file.chmod(0o644);
    await file.writeFile(`${JSON.stringify(request)}\n`);
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/**
 * Takes the waiting request away and reads it. It is taken first, whatever it is: as long as it lies there,
 * systemd starts us again and again.
 *
 * @returns null when there is none, or none that makes sense
 * @throws Failure `cannot_write` when it cannot be taken away
 */
export async function takeRequest(paths: Paths): Promise<SyncRequest | null> {
  const { request: path, requestDirectory } = agentRuntimeFiles(paths);
  await removeTaken(requestDirectory);
  const taken = join(requestDirectory, `.taken.${randomBytes(6).toString("hex")}`);
  try {
    await rename(path, taken);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return null;
    throw new Failure({
      kind: "cannot_write",
      message: `the request ${path} cannot be taken away: ${code ?? errorText(error)}`,
      nextStep: `${requestDirectory} must belong to root, mode 0730, group idc-helper: systemd-tmpfiles --create`,
    });
  }
  try {
    const text = await readTextIfPresent(taken, { maxBytes: MAX_REQUEST_BYTES });
    return text === null ? null : parseRequest(text);
  } catch {
    return null;
  } finally {
    await removePlanted(taken);
  }
}

/**
 * What a killed run took and did not come to remove. Only the one run that holds the lock takes anything; the names
 * come one by one, however many somebody has planted.
 */
async function removeTaken(directory: string): Promise<void> {
  try {
    for await (const { name } of await opendir(directory)) {
      if (/^\.taken\.[0-9a-f]{12}$/.test(name)) await removePlanted(join(directory, name));
    }
  } catch {
    // It is only tidiness, and must not stand in the way of the request.
  }
}

/** A directory planted there is not emptied: root must not walk a tree that another user can change meanwhile. */
async function removePlanted(path: string): Promise<void> {
  await unlink(path).catch(() => rmdir(path).catch(() => undefined));
}

export function parseRequest(text: string): SyncRequest | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { id, credentialsSince, inForce } = value as Record<string, unknown>;
  if (typeof id !== "string" || !/^[\w-]{1,64}$/.test(id)) return null;
  return {
    id,
    credentialsSince: parseBootInstant(credentialsSince),
    inForce: typeof inForce === "string" ? inForce : null,
  };
}

function parseBootInstant(value: unknown): BootInstant | null {
  if (typeof value !== "object" || value === null) return null;
  const { bootId, bootMs } = value as Record<string, unknown>;
  return typeof bootId === "string" && isTimeMs(bootMs) ? { bootId, bootMs } : null;
}

/** @returns null when there is no answer yet, or none that can be read */
export async function readAnswer(paths: Paths): Promise<SyncAnswer | null> {
  try {
    const text = await readTextIfPresent(agentRuntimeFiles(paths).answer, { maxBytes: MAX_ANSWER_BYTES });
    const value: unknown = text === null ? null : JSON.parse(text);
    return isAnswer(value) ? value : null;
  } catch {
    return null;
  }
}
