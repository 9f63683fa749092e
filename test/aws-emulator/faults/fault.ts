/** The faults that can be ordered: one schema, from which both the control API and the types are made. */
import { z } from "zod";

export const SERVICES = ["sts", "codedeploy", "codedeploy-commands", "s3"] as const;
export type ServiceName = (typeof SERVICES)[number];

/** Answers that take the place of the real one; the request is not carried out. */
const REPLACING = [
  "throttle",
  "request-limit-exceeded",
  "error-500",
  "error-503-html",
  "error-503-empty",
  "garbage",
  "deny",
  "region-disabled",
  "huge-body",
  "redirect",
  "exception",
] as const;

/** No answer at all; the request is not carried out. */
const SILENT = ["hang", "reset"] as const;

/** The request is carried out, and its answer spoilt on the way. */
const SPOILING = ["hang-mid-body", "reset-mid-body", "truncated"] as const;

/** The request is carried out, and the answer well-formed but wrong. */
const LYING = [
  "missing-field",
  "wrong-session-arn",
  "expired-answer",
  "bad-date",
  "newline-in-token",
  "ini-syntax-in-token",
] as const;

/** Circumstances under which the request, or another fault of it, takes its course. */
const CIRCUMSTANCES = ["slow", "clock-wrong"] as const;

export const FAULT_KINDS = [...REPLACING, ...SILENT, ...SPOILING, ...LYING, ...CIRCUMSTANCES] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];
export type ReplacingKind = (typeof REPLACING)[number];
export type LyingKind = (typeof LYING)[number];

export const faultSpecSchema = z.strictObject({
  match: z.strictObject({ service: z.enum(SERVICES).optional(), action: z.string().optional() }).default({}),
  kind: z.enum(FAULT_KINDS),
  /** How many requests it meets; without it, all of them until the fault is cleared. */
  times: z.int().min(1).optional(),
  /** Real milliseconds to wait before anything else happens. */
  delayMs: z.number().min(0).default(0),
  /** throttle, request-limit-exceeded, error-503-*: sends Retry-After. */
  retryAfterSeconds: z.int().min(0).optional(),
  /** missing-field: the member that the answer is left without, at whatever depth. */
  field: z.string().default("SessionToken"),
  /** clock-wrong: how far the service's clock is ahead (or, negative, behind). */
  clockAheadSeconds: z.number().default(3600),
  /** huge-body: how much is sent. */
  megabytes: z.number().positive().default(64),
  /** exception: its name in the service's own model, and what it says. */
  code: z.string().default("InternalFailure"),
  message: z.string().default("as a test ordered it"),
  /** redirect: where to. */
  location: z.string().default("http://127.0.0.1:9/"),
});

export type FaultSpec = z.input<typeof faultSpecSchema>;

export interface Fault extends z.infer<typeof faultSpecSchema> {
  readonly id: number;
  readonly setAt: Date;
}

export function isReplacing(fault: Fault): fault is Fault & { kind: ReplacingKind } {
  return REPLACING.some((kind) => kind === fault.kind);
}

export function isLying(fault: Fault): fault is Fault & { kind: LyingKind } {
  return LYING.some((kind) => kind === fault.kind);
}

export function isCircumstance(fault: Fault): boolean {
  return CIRCUMSTANCES.some((kind) => kind === fault.kind);
}
