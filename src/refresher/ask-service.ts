/**
 * How root's `refresh` has the running service do it: a signal, and the status file for the answer. The service's
 * user then writes the file, under the service's own limits.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Paths } from "../config/config.ts";
import { runtimeFiles, stateFiles } from "../config/paths.ts";
import { FAILURE_KINDS, Failure } from "../failure.ts";
import { acquireLock, readLockHolder } from "../host/lock.ts";
import { readStatus, type Status } from "../report/status.ts";
import type { Issued } from "./issue.ts";

/** `run` refreshes on this signal. (SIGUSR1 is Node's own: it opens the debugger.) */
export const REFRESH_SIGNAL = "SIGUSR2";

const ANSWER_LIMIT_MS = 75_000;
const POLL_MS = 100;

/** @returns the pid of the `run` that keeps this state directory, or null when none does */
export function findRunningService(paths: Paths): number | null {
  const path = stateFiles(paths).runLock;
  const holder = readLockHolder(path);
  if (holder === null) return null;
  const lock = acquireLock(path, { keepHolder: true });
  lock?.release();
  return lock === null ? holder : null;
}

/** @throws Failure: that of the attempt, or `busy` when the service does not answer */
export async function askRunningService(paths: Paths, pid: number): Promise<Issued> {
  const file = runtimeFiles(paths).status;
  const before = (await readStatus(file).catch(() => null))?.last_attempt?.number ?? 0;
  process.kill(pid, REFRESH_SIGNAL);
  const deadline = performance.now() + ANSWER_LIMIT_MS;
  while (performance.now() < deadline) {
    await sleep(POLL_MS);
    const status = await readStatus(file).catch(() => null);
    // An attempt that was under way when we asked is not the one we asked for.
    if (status?.last_attempt && status.last_attempt.number > before && status.last_attempt.result !== null)
      return outcome(status);
  }
  throw new Failure({
    kind: "busy",
    message: `the running service (process ${pid}) did not report a refresh within ${ANSWER_LIMIT_MS / 1_000} s`,
    nextStep: "See: systemctl status idc-codedeploy-helper; journalctl -u idc-codedeploy-helper",
  });
}

function outcome({ last_attempt, credentials, failure, session_arn, warnings }: Status): Issued {
  if (last_attempt?.result === "issued" && credentials) {
    return {
      issuedAt: credentials.issued_at,
      expiresAt: credentials.expires_at,
      sessionArn: session_arn,
      warnings: warnings.map(({ code, message, next_step }) => ({
        code: code as Issued["warnings"][number]["code"],
        message,
        nextStep: next_step,
      })),
    };
  }
  const kind = FAILURE_KINDS.find((known) => known === failure?.kind) ?? "crashed";
  throw new Failure({
    kind,
    message: failure?.message ?? "the refresh failed",
    nextStep: failure?.next_step ?? "See: idc-helper status",
  });
}
