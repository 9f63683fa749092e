/**
 * `systemctl reload` and `systemctl restart`, with a bound.
 *
 * Ending the client ends nothing else: its job runs on in PID 1, and as long as an ExecReload= hangs the unit is
 * "reloading" and every later reload waits behind it, until TimeoutStartSec= (90 s unless the unit says otherwise,
 * five minutes for one made from an init script, never with "infinity"). `systemctl cancel` only takes the job off
 * the list. Tried on systemd 252: killing the unit's control process ends the reload as failed, and the unit is
 * "active" again; its main process and its control group are not touched.
 */
import { systemctl, systemctlMessage } from "../host/systemd.ts";

export interface FailedReload {
  kind: "failed";
  detail: string;
  nextStep: string;
}

export type JobOutcome = { kind: "ended" } | { kind: "running" } | FailedReload;

const LOOK_LIMIT_MS = 10_000;

/** @param limitMs how long the reload may take */
export async function systemctlReload(
  unit: string,
  limitMs: number,
): Promise<{ kind: "ended" } | FailedReload> {
  const outcome = await runJob("reload", unit, limitMs);
  if (outcome.kind !== "running") return outcome;
  const ended = (await endReload(unit)) ? "was ended" : "may still run";
  return {
    kind: "failed",
    detail: `the reload of ${unit} did not end within ${Math.round(limitMs / 1_000)} s; its ExecReload= ${ended}`,
    nextStep: `See what it does: systemctl cat ${unit}; systemctl status ${unit}`,
  };
}

/** A restart that is not over within the limit goes on: systemd bounds it by TimeoutStopSec=. */
export function systemctlRestart(unit: string, limitMs: number): Promise<JobOutcome> {
  return runJob("restart", unit, limitMs);
}

async function runJob(verb: "reload" | "restart", unit: string, limitMs: number): Promise<JobOutcome> {
  try {
    await systemctl(limitMs, verb, "--", unit);
    return { kind: "ended" };
  } catch (error) {
    if (error instanceof Error && "killed" in error && error.killed === true) return { kind: "running" };
    return {
      kind: "failed",
      detail: `systemctl ${verb} ${unit} failed: ${systemctlMessage(error)}`,
      nextStep: `See: systemctl status ${unit}; journalctl -u ${unit}`,
    };
  }
}

/** Only while the control process is a reload's: at a stop it would be the ExecStop=. */
async function endReload(unit: string): Promise<boolean> {
  try {
    const state = await systemctl(LOOK_LIMIT_MS, "show", "--property", "SubState", "--value", "--", unit);
    if (!state.startsWith("reload")) return true;
    // --kill-who is --kill-whom since 252, which still knows the old name; 239 knows only this one.
    await systemctl(LOOK_LIMIT_MS, "kill", "--kill-who=control", "--signal=SIGKILL", "--", unit);
    return true;
  } catch {
    return false;
  }
}
