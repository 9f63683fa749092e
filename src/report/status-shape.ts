/**
 * Whether a value is a status, field by field. The file is the service's user's: a command of root's that reads it must
 * neither crash at what that user may have put there, nor pass control characters on to a terminal.
 */
import type { Status } from "./status.ts";

/** `?`: or null. A list holds any number of its one element. */
type Shape = Kind | `${Kind}?` | readonly [Shape] | { readonly [key: string]: Shape } | Optional;
type Kind = "text" | "time" | "number" | "boolean";

class Optional {
  readonly shape: Shape;

  constructor(shape: Shape) {
    this.shape = shape;
  }
}

const SHAPE = {
  version: "text",
  updated_at: "time",
  pid: "number",
  started_at: "time",
  serial: "text",
  region: "text",
  role_arn: "text",
  session_arn: "text",
  state: "text",
  credentials: new Optional({ file: "text", issued_at: "time", expires_at: "time", in_place: "boolean" }),
  last_attempt: new Optional({
    number: "number",
    reason: "text",
    started_at: "time",
    finished_at: "time?",
    result: "text?",
  }),
  last_success_at: "time?",
  failures_in_a_row: "number",
  failure: new Optional({ kind: "text", message: "text", next_step: "text", since: "time" }),
  next_refresh_at: "time?",
  warnings: [{ code: "text", message: "text", next_step: "text" }],
  agent: {
    answered_at: "time?",
    state: "text",
    detail: "text",
    worker_pid: "number?",
    config_match: "text",
    config_detail: "text",
    reload: "text",
    reload_for: ["text"],
    reload_detail: "text",
    next_step: "text",
    pickup_window_seconds: "number?",
    must_load: new Optional({ since: "time", reason: "text", lapses_at: "time" }),
  },
  config: { file: "text", loaded_at: "time", rejected: "text?" },
} as const satisfies Record<Exclude<keyof Status, "schema">, Shape>;

export function isStatus(value: unknown): value is Status {
  return fits(value, SHAPE);
}

function fits(value: unknown, shape: Shape): boolean {
  if (typeof shape === "string") return isOfKind(value, shape);
  if (shape instanceof Optional) return value === null || fits(value, shape.shape);
  if (isList(shape)) return Array.isArray(value) && value.every((each) => fits(each, shape[0]));
  if (typeof value !== "object" || value === null) return false;
  const fields = value as Record<string, unknown>;
  return Object.entries(shape).every(([key, wanted]) => fits(fields[key], wanted));
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function isOfKind(value: unknown, kind: Kind | `${Kind}?`): boolean {
  if (value === null) return kind.endsWith("?");
  switch (kind.replace("?", "")) {
    case "time":
      return typeof value === "string" && !Number.isNaN(Date.parse(value));
    case "text":
      return typeof value === "string";
    case "number":
      return Number.isFinite(value);
    default:
      return typeof value === "boolean";
  }
}

/** For JSON.parse: a terminal obeys control characters, and some that are not seen turn text round. */
export function withoutControls(_key: string, value: unknown): unknown {
  return typeof value === "string"
    ? value.replace(/[\p{Cc}\p{Cf}]/gu, (each) => (each === "\n" ? each : " "))
    : value;
}
