/** Our units out of force: what `deregister` and `adopt --undo` leave behind asks nothing of the agent any more. */
import { takeRequest } from "../agent/exchange.ts";
import type { Paths } from "../config/config.ts";
import { changeUnits, showUnit } from "../host/systemd.ts";
import { PATH_UNIT, SERVICE } from "./service-step.ts";

const STOP_LIMIT_MS = 100_000;

/** Whether neither the service nor what carries its requests to root runs, nor comes back at the next boot. */
export async function isServiceOff(): Promise<boolean> {
  const { state, file } = await stateOf(SERVICE);
  return !isUp(state) && file !== "enabled" && !(await areRequestsCarried());
}

/** Whether a request of the service's still reaches root. */
export async function areRequestsCarried(): Promise<boolean> {
  return isUp((await stateOf(PATH_UNIT)).state);
}

/** First of all: a request would have root switch the agent to our credentials again. @throws Failure `host_not_ready` */
export async function stopCarryingRequests(): Promise<void> {
  await changeUnits(STOP_LIMIT_MS, ["stop"], [PATH_UNIT]);
}

/** With a request that may still wait: once its config is gone, the root oneshot would fail on it again and again. */
export async function turnServiceOff(paths: Paths): Promise<void> {
  await stopCarryingRequests();
  await changeUnits(STOP_LIMIT_MS, ["disable", "--now"], [SERVICE]);
  await takeRequest(paths);
}

/** Of a unit that is not there, or waits to be started again, too. */
async function stateOf(unit: string): Promise<{ state: string; file: string }> {
  const found = await showUnit(unit, ["ActiveState", "UnitFileState"]).catch(() => null);
  return { state: found?.get("ActiveState") ?? "unknown", file: found?.get("UnitFileState") ?? "" };
}

function isUp(state: string): boolean {
  return state !== "inactive" && state !== "failed";
}
