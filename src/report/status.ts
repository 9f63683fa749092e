/** The status file: how things stand, for `idc-helper status`, monitoring and people. No secret is in it. */

import { replaceFile } from "../host/atomic-file.ts";
import { readTextIfPresent } from "../host/read-file.ts";
import { isStatus, withoutControls } from "./status-shape.ts";

export const STATUS_SCHEMA = 1;

/** See docs/status.schema.json, which states each field's meaning. All times are ISO 8601, in UTC. */
export interface Status {
  schema: typeof STATUS_SCHEMA;
  version: string;
  updated_at: string;
  pid: number;
  started_at: string;
  serial: string;
  region: string;
  role_arn: string;
  session_arn: string;
  state: RefresherState;
  credentials: {
    file: string;
    issued_at: string;
    expires_at: string;
    /** False once somebody else has written or removed the file. */
    in_place: boolean;
  } | null;
  last_attempt: {
    number: number;
    reason: string;
    started_at: string;
    finished_at: string | null;
    result: "issued" | "failed" | null;
  } | null;
  last_success_at: string | null;
  failures_in_a_row: number;
  failure: { kind: string; message: string; next_step: string; since: string } | null;
  next_refresh_at: string | null;
  warnings: { code: string; message: string; next_step: string }[];
  agent: AgentStatus;
  config: { file: string; loaded_at: string; rejected: string | null };
}

export type RefresherState = "starting" | "fresh" | "retrying" | "expired" | "stopped";

export interface AgentStatus {
  answered_at: string | null;
  state: string;
  detail: string;
  worker_pid: number | null;
  config_match: string;
  config_detail: string;
  reload: string;
  reload_for: string[];
  reload_detail: string;
  next_step: string;
  pickup_window_seconds: number | null;
  /** Whether the agent is still to load something, and by when it will have done so by itself. */
  must_load: { since: string; reason: string; lapses_at: string } | null;
}

const MAX_BYTES = 64 * 1_024;

/** Writes what changed, and nothing while nothing does: a tick of the service is no event. */
export class StatusWriter {
  #written = "";

  /** @throws the system error; the next call then tries again */
  async write(path: string, status: Status): Promise<void> {
    const content = JSON.stringify({ ...status, updated_at: "" });
    if (content === this.#written) return;
    await replaceFile(path, `${JSON.stringify(status, null, 2)}\n`, { mode: 0o644 });
    this.#written = content;
  }
}

/**
 * @returns null when there is no file
 * @throws SyntaxError or the system error when it cannot be used
 */
export async function readStatus(path: string): Promise<Status | null> {
  const text = await readTextIfPresent(path, { maxBytes: MAX_BYTES });
  if (text === null) return null;
  const value = parse(text, path);
  if (typeof value !== "object" || value === null || (value as Partial<Status>).schema !== STATUS_SCHEMA) {
    throw new SyntaxError(`${path} was written by another version of idc-helper`);
  }
  if (!isStatus(value)) throw new SyntaxError(`${path} is not as idc-helper run writes it`);
  return value;
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text, withoutControls);
  } catch {
    // Not the parser's own words, which repeat what it found.
    throw new SyntaxError(`${path} is not JSON`);
  }
}
