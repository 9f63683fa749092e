/** A health in which all is well, for tests that change a part of it. */
import type { SyncAnswer } from "../../../src/agent/exchange.ts";
import type { RefreshRecord } from "../../../src/credentials/record.ts";
import type { FailureKind } from "../../../src/failure.ts";
import type { FailureStreak } from "../../../src/refresher/attempts.ts";
import type { Health } from "../../../src/refresher/health.ts";
import { sampleConfig } from "../aws/sample-config.ts";

export const MIN = 60_000;
export const NOW_MS = Date.parse("2026-11-22T10:30:00Z");
const NOW_BOOT_MS = 600 * MIN;
const iso = (minutes: number) => new Date(NOW_MS + minutes * MIN).toISOString();

export const RECORD: RefreshRecord = {
  sha256: "x",
  sessionArn: "arn:aws:sts::123456789012:assumed-role/Role/SN-1",
  issuedAt: iso(-15),
  expiresAt: iso(45),
  profile: "default",
  group: null,
  bootId: "boot-1",
  issuedBootMs: NOW_BOOT_MS - 15 * MIN,
  expiresBootMs: NOW_BOOT_MS + 45 * MIN,
  writes: [],
  refusedDuration: null,
};

interface AnswerChanges {
  agent?: Partial<SyncAnswer["agent"]>;
  config?: Partial<SyncAnswer["config"]>;
  reload?: Partial<SyncAnswer["reload"]>;
  at?: string;
}

export function sampleAnswer({ agent, config, reload, at = iso(-1) }: AnswerChanges = {}): SyncAnswer {
  return {
    id: "id",
    at,
    bootId: "boot-1",
    bootMs: NOW_BOOT_MS - MIN,
    pickupWindowMs: 1_680_000,
    agent: {
      state: "running",
      detail: "",
      masterPid: 811,
      workerPid: 812,
      workerStartedBootMs: MIN,
      invocationId: null,
      ...agent,
    },
    config: { state: "matches", file: "/etc/on.yml", detail: "", differences: [], backup: null, ...config },
    reload: { state: "not_needed", causes: [], detail: "", nextStep: "", ...reload },
  };
}

export function sampleStreak(kind: FailureKind, count = 3): FailureStreak {
  const last = { kind, message: "m", nextStep: "n" };
  return { count, throttled: 0, sinceMs: NOW_MS - 2 * MIN, last, retryBootMs: NOW_BOOT_MS + 4_000 };
}

export function sampleHealth(changes: Partial<Health> = {}): Health {
  return {
    nowMs: NOW_MS,
    nowBootMs: NOW_BOOT_MS,
    startedAtMs: NOW_MS - 600 * MIN,
    config: sampleConfig(),
    configLoadedAtMs: NOW_MS - 600 * MIN,
    configRejected: null,
    record: RECORD,
    expiresBootMs: RECORD.expiresBootMs,
    file: "ours",
    attempt: {
      number: 7,
      reason: "schedule",
      startedAtMs: NOW_MS - 15 * MIN,
      finishedAtMs: NOW_MS - 15 * MIN,
      result: "issued",
    },
    streak: null,
    nextRefreshAtMs: NOW_MS + 15 * MIN,
    warnings: [],
    answer: sampleAnswer(),
    unansweredWhy: null,
    mustLoad: null,
    isStopped: false,
    ...changes,
  };
}
