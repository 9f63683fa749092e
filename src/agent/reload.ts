/**
 * Has the agent's worker replaced, gracefully: SIGTERM to the worker, which finishes the lifecycle event in hand,
 * and the master starts a new one, which reads config and credentials afresh (FACTS).
 *
 * Never signals the master, and never restarts the service while anything but the agent would die with it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "../failure.ts";
import { processesIn } from "./control-group.ts";
import { children, isAlive, type ProcessIdentity } from "./processes.ts";
import type { AgentService } from "./service.ts";
import { type FailedReload, systemctlReload } from "./systemctl.ts";

export type ReloadOutcome =
  | { kind: "done"; worker: ProcessIdentity }
  /** It ends after the poll or the lifecycle event in hand; its successor comes then. */
  | { kind: "under_way"; detail: string }
  | FailedReload;

export interface ReloadLimits {
  /** For `systemctl` itself, in milliseconds. */
  commandMs: number;
  /** How long to watch for the new worker, in milliseconds; one that has not come by then comes later. */
  watchMs: number;
}

const POLL_MS = 100;

/** @param service one that runs and has a worker */
export async function reloadAgent(
  unit: string,
  service: AgentService,
  limits: ReloadLimits,
): Promise<ReloadOutcome> {
  const { master, worker } = service;
  if (master === null || worker === null)
    return { kind: "under_way", detail: "the master is starting a new worker" };
  const failure = await signalWorker(unit, service, worker, limits.commandMs);
  return failure ?? awaitSuccessor(master, worker, limits.watchMs);
}

async function signalWorker(
  unit: string,
  { isUnit, canReload }: AgentService,
  worker: ProcessIdentity,
  limitMs: number,
): Promise<FailedReload | null> {
  if (isUnit && canReload) {
    const outcome = await systemctlReload(unit, limitMs);
    return outcome.kind === "failed" ? outcome : null;
  }
  // Our drop-in is not in force (or there is no unit): the same signal, sent by ourselves.
  try {
    if (isAlive(worker)) process.kill(worker.pid, "SIGTERM");
    return null;
  } catch (error) {
    if (errorCode(error) === "ESRCH") return null;
    return {
      kind: "failed",
      detail: `the worker (process ${worker.pid}) may not be signalled (${errorCode(error)}), and ${unit} has no ExecReload=`,
      nextStep: `Let systemd see the drop-in: systemctl daemon-reload; systemctl show -p CanReload ${unit}`,
    };
  }
}

async function awaitSuccessor(
  master: ProcessIdentity,
  old: ProcessIdentity,
  limitMs: number,
): Promise<ReloadOutcome> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const successor = children(master.pid)?.find(
      ({ pid, startTicks }) => pid !== old.pid || startTicks !== old.startTicks,
    );
    if (successor && !isAlive(old)) return { kind: "done", worker: successor };
    if (!isAlive(master)) {
      return {
        kind: "failed",
        detail: "the agent's master ended meanwhile",
        nextStep: "See the agent's log, and whether it is running.",
      };
    }
    if (performance.now() >= deadline) {
      const what = isAlive(old)
        ? `worker ${old.pid} ends after the poll in hand`
        : "the master is starting a new worker";
      return { kind: "under_way", detail: what };
    }
    await sleep(POLL_MS);
  }
}

/** @returns why a restart would harm more than the agent, or null when the group holds the agent alone */
export function whyNoRestart({ isUnit, controlGroup, master, worker }: AgentService): string | null {
  if (!isUnit || controlGroup === null || master === null)
    return "systemd does not keep the agent's processes";
  const pids = processesIn(controlGroup);
  if (pids === null) return "what runs in the agent's control group cannot be known";
  const others = pids.filter((pid) => pid !== master.pid && pid !== worker?.pid);
  if (others.length === 0) return null;
  return `${others.length} other process${others.length === 1 ? "" : "es"} in the agent's control group would be killed with it (process ${others.slice(0, 5).join(", ")})`;
}
