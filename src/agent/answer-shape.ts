/** Whether a value is an answer of the root oneshot, or its record: root wrote both, but perhaps another version of us. */
import type { SyncAnswer } from "./exchange.ts";
import type { SyncRecord } from "./sync-record.ts";

/** See settings.ts: no window is longer than a day. */
const LONGEST_WINDOW_MS = 86_400_000;

export function isAnswer(value: unknown): value is SyncAnswer {
  if (!isObject(value)) return false;
  const { at, bootId, bootMs, pickupWindowMs, agent, config, reload } = value as Partial<SyncAnswer>;
  const isWindow = isTime(pickupWindowMs) && pickupWindowMs > 0 && pickupWindowMs <= LONGEST_WINDOW_MS;
  if (!isWindow || !isTime(bootMs) || Number.isNaN(Date.parse(at ?? ""))) return false;
  if (!isObject(agent) || !isObject(config) || !isObject(reload)) return false;
  const texts = [bootId, agent.state, agent.detail, config.state, config.file, config.detail];
  return (
    [...texts, reload.state, reload.detail, reload.nextStep].every(isText) &&
    [agent.workerPid, agent.workerStartedBootMs].every(orNull(isTime)) &&
    Array.isArray(config.differences) &&
    config.differences.every(
      ({ key, found, wanted }) => isText(key) && [found, wanted].every(orNull(isText)),
    ) &&
    Array.isArray(reload.causes) &&
    reload.causes.every(isText)
  );
}

/** Of a record with its defaults filled in. */
export function isSyncRecord(record: SyncRecord): boolean {
  const { config, inForce, lastFailure, leaving } = record;
  const { lastReloadBootMs, lastCredentialsReloadBootMs, workerMissingSinceBootMs } = record;
  const instants = [lastReloadBootMs, lastCredentialsReloadBootMs, workerMissingSinceBootMs];
  return (
    instants.every(orNull(isTime)) &&
    orNull(isText)(inForce) &&
    (config === null || (isText(config.meaning) && isTime(config.sinceBootMs))) &&
    (lastFailure === null || (isText(lastFailure.detail) && isText(lastFailure.nextStep))) &&
    (leaving === null || [leaving.pid, leaving.startTicks, leaving.askedBootMs].every(isTime))
  );
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** In milliseconds or ticks, and such that a date can be made with it. */
function isTime(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER / 2_000;
}

function orNull(is: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => value === null || is(value);
}
