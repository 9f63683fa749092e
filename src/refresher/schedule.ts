/** When refreshes are due: the cron expression, shifted by this host's own offset. */
import type { Config } from "../config/config.ts";
import { parseCron } from "../config/cron.ts";

/**
 * @param afterMs milliseconds since the epoch
 * @param factor the time factor: the cron expression is then read on a clock that runs that much faster
 * @returns the next `count` instants, in milliseconds since the epoch
 */
export function nextRefreshes(
  config: Pick<Config, "schedule" | "offsetMs">,
  afterMs: number,
  count: number,
  factor: number,
): number[] {
  const cron = parseCron(config.schedule);
  if ("error" in cron) throw new Error(`a validated schedule does not parse: ${cron.error}`);
  const times: number[] = [];
  let cursor = afterMs * factor - config.offsetMs;
  while (times.length < count) {
    const next = cron.nextAfter(cursor);
    if (next === null) break;
    times.push((next + config.offsetMs) / factor);
    cursor = next;
  }
  return times;
}
