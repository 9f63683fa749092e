/**
 * What happens inside the stand-in agent, one JSON line each, for the tests that must wait for it and judge it.
 *
 * It is not part of what is imitated: the original has only its log. No secret is ever written here; an access key
 * id is none.
 */
import { readFileSync } from "node:fs";
import { appendLine } from "./append-line.ts";

export interface TraceDetails {
  master_started: { settingsFile: string };
  master_stopped: Record<never, never>;
  worker_spawned: { workerPid: number };
  /** The master saw its worker end; another follows 5 s later. */
  worker_ended: { workerPid: number; exitCode: number | null; signal: string | null };
  worker_started: { masterPid: number };
  /** The worker cannot start: its config or its credentials do not load. */
  worker_failed: { reason: string };
  config_read: { sessionArn: string; credentialsFile: string; region: string };
  credentials_read: { accessKeyId: string; reason: ReadReason };
  credentials_unreadable: { reason: ReadReason; message: string };
  /** An attempt to poll was signed and is about to be sent. */
  poll: { accessKeyId: string; attempt: number };
  poll_ok: { accessKeyId: string; hostCommandIdentifier: string | undefined };
  /** One attempt failed; `retrying` says whether the same poll goes on. */
  poll_error: { accessKeyId: string | undefined; code: string; message: string; retrying: boolean };
  event_started: { deploymentId: string; hostCommandIdentifier: string; commandName: string };
  event_finished: {
    deploymentId: string;
    hostCommandIdentifier: string;
    status: "Succeeded" | "Failed";
    /** Whether the service took the report. */
    reported: boolean;
  };
  /** A command that came while the worker was shutting down: not acknowledged, so the service gives it out again. */
  command_refused: { hostCommandIdentifier: string };
  /** A tracking file that an earlier worker left behind was found. */
  leftover_found: { hostCommandIdentifier: string };
  leftover_reported: { hostCommandIdentifier: string };
  leftover_kept: { message: string };
  shutdown: { signal: string; eventsInHand: number };
  worker_exiting: { eventsAbandoned: number };
}

/** Why the credentials file was read: at start, near the pretended expiry, or after the service refused them. */
export type ReadReason = "start" | "near_expiry" | "refused";

export type TraceKind = keyof TraceDetails;
export type TraceEvent = {
  [Kind in TraceKind]: { at: string; pid: number; kind: Kind } & TraceDetails[Kind];
}[TraceKind];
export type TraceEventOf<Kind extends TraceKind> = Extract<TraceEvent, { kind: Kind }>;

export type Trace = <Kind extends TraceKind>(kind: Kind, details: TraceDetails[Kind]) => void;

/** A trace into the file that `IDC_AGENT_TRACE` names; without one, nothing is kept. */
export function openTrace(path: string | undefined): Trace {
  return (kind, details) => {
    if (!path) return;
    const line = { at: new Date().toISOString(), pid: process.pid, kind, ...details };
    appendLine(path, JSON.stringify(line));
  };
}

/** Everything traced so far, oldest first; a last line still being written, or cut by a full disk, is left out. */
export function readTrace(path: string): TraceEvent[] {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch {
    return [];
  }
  return content
    .split("\n")
    .slice(0, -1)
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as TraceEvent);
}
