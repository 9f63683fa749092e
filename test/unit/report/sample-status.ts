/** A status in which all is well, for tests that change a part of it. */
import type { Status } from "../../../src/report/status.ts";

export const NOW_MS = Date.parse("2026-11-22T10:30:00Z");
const iso = (minutes: number) => new Date(NOW_MS + minutes * 60_000).toISOString();

export function sampleStatus(changes: Partial<Status> = {}): Status {
  return {
    schema: 1,
    version: "0.1.0",
    updated_at: iso(-1),
    pid: 4_711,
    started_at: iso(-600),
    serial: "SN-1",
    region: "ap-northeast-2",
    role_arn: "arn:aws:iam::123456789012:role/Role",
    session_arn: "arn:aws:sts::123456789012:assumed-role/Role/SN-1",
    state: "fresh",
    credentials: { file: "/var/lib/x/credentials", issued_at: iso(-15), expires_at: iso(45), in_place: true },
    last_attempt: {
      number: 7,
      reason: "schedule",
      started_at: iso(-15),
      finished_at: iso(-15),
      result: "issued",
    },
    last_success_at: iso(-15),
    failures_in_a_row: 0,
    failure: null,
    next_refresh_at: iso(15),
    warnings: [],
    agent: {
      answered_at: iso(-1),
      state: "running",
      detail: "",
      worker_pid: 812,
      config_match: "matches",
      config_detail: "",
      reload: "not_needed",
      reload_for: [],
      reload_detail: "",
      next_step: "",
      pickup_window_seconds: 1_680,
      must_load: null,
    },
    config: { file: "/etc/x/config.yaml", loaded_at: iso(-600), rejected: null },
    ...changes,
  };
}

export function sampleFailure(kind = "denied"): Pick<Status, "failure" | "failures_in_a_row"> {
  return {
    failures_in_a_row: 3,
    failure: { kind, message: "AWS denies it", next_step: "Ask for it.", since: iso(-2) },
  };
}

export const minutesFromNow = iso;
