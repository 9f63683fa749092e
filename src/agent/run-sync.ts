/** One run of sync under its lock, with the answer left where `run` looks for it. */
import type { Config } from "../config/config.ts";
import { agentRuntimeFiles } from "../config/paths.ts";
import { errorText, Failure } from "../failure.ts";
import { replaceFile } from "../host/atomic-file.ts";
import { acquireLock } from "../host/lock.ts";
import type { Log } from "../report/log.ts";
import { type SyncAnswer, type SyncRequest, takeRequest } from "./exchange.ts";
import { syncAgent } from "./sync.ts";

const LOCK_WAIT_MS = 90_000;
/** Whoever rewrites the agent's config all the time is left to the next run. */
const MOST_ROUNDS = 3;

export interface SyncRun {
  request: SyncRequest | null;
  answer: SyncAnswer;
}

export interface RunOptions {
  config: Config;
  factor: number;
  log: Log;
  /** As in {@link syncAgent}; false where a person or one of their commands runs it. */
  isUnattended?: boolean;
}

/** @throws Failure `busy` or `cannot_write` */
export async function runSync({ config, factor, log, isUnattended = false }: RunOptions): Promise<SyncRun> {
  const files = agentRuntimeFiles(config.paths);
  const lock = lockRuns(files.syncLock);
  try {
    const request = await takeRequest(config.paths);
    // systemd does not see what is changed while we run: a reload takes seconds, and a drift in them is ours to find.
    for (let round = 1; ; round += 1) {
      const { answer, isOvertaken } = await syncAgent({ config, request, isUnattended, factor, log });
      await writeAnswer(files.answer, answer);
      if (!isOvertaken || round === MOST_ROUNDS) return { request, answer };
    }
  } finally {
    lock.release();
  }
}

function lockRuns(path: string): { release(): void } {
  const lock = acquireLock(path, { waitMs: LOCK_WAIT_MS });
  if (lock !== null) return lock;
  throw new Failure({
    kind: "busy",
    message: `another sync-agent holds ${path} and does not end`,
    nextStep: `See what it waits for: fuser -v ${path}`,
  });
}

async function writeAnswer(path: string, answer: SyncAnswer): Promise<void> {
  try {
    await replaceFile(path, `${JSON.stringify(answer, null, 2)}\n`, { mode: 0o644 });
  } catch (error) {
    throw new Failure({
      kind: "cannot_write",
      message: `the answer ${path} was not written: ${errorText(error)}`,
      nextStep: "Its directory belongs to root; systemd-tmpfiles --create makes it.",
    });
  }
}
