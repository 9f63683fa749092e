/** What a trace is judged by. */
export interface Counts {
  traces: number;
  days: number;
  polls: number;
  /** Seconds in which the agent polled with an expired credential, by what stood in the way. */
  expiredS: Record<ExpiredBecause, number>;
  /** The longest of them in a row, in seconds. */
  longestExpiredS: Record<ExpiredBecause, number>;
  /** Traces in which nothing excuses them. */
  guiltySeeds: number[];
  /** Traces with a reload without need, and with a recovery that took longer than a minute. */
  needlessSeeds: number[];
  slowSeeds: number[];
  /** Seconds in which the agent ran, with AWS in reach, and nothing could be deployed: expired, or without a worker. */
  deafS: number;
  eventsSucceeded: number;
  /** Of lifecycle events: killed or failed by what the program did. */
  eventsFailedByUs: number;
  eventsFailedByCrash: number;
  /** Their end could not be reported, for the agent's credential had expired. */
  eventsNotReported: number;
  processesKilledByUs: number;
  reloads: number;
  restarts: number;
  needlessReloads: number;
  /** Needed by all that can be known outside of the agent, which had by chance read its file in time. */
  needlessInHindsight: number;
  /** From STS's return to a fresh file, in milliseconds: the longest, where nothing but reachability was wrong. */
  longestRecoveryMs: number;
  recoveries: number;
  assumeRoleCalls: number;
  /** The most on a day of a trace without faults. */
  mostCallsADay: number;
}

/**
 * Why an expired credential was polled with. `nothing`: STS had been reachable and granting for a minute, the host was
 * awake and could write, its config files were as they should be, and no lifecycle event stood in the way.
 */
export const EXPIRED_BECAUSE = ["nothing", "event", "disk", "config", "outage"] as const;
export type ExpiredBecause = (typeof EXPIRED_BECAUSE)[number];

export function noCounts(): Counts {
  const none = () => ({ nothing: 0, event: 0, disk: 0, config: 0, outage: 0 });
  return {
    traces: 0,
    days: 0,
    polls: 0,
    expiredS: none(),
    longestExpiredS: none(),
    guiltySeeds: [],
    needlessSeeds: [],
    slowSeeds: [],
    deafS: 0,
    eventsSucceeded: 0,
    eventsFailedByUs: 0,
    eventsFailedByCrash: 0,
    eventsNotReported: 0,
    processesKilledByUs: 0,
    reloads: 0,
    restarts: 0,
    needlessReloads: 0,
    needlessInHindsight: 0,
    longestRecoveryMs: 0,
    recoveries: 0,
    assumeRoleCalls: 0,
    mostCallsADay: 0,
  };
}

/** Adds up; what is a longest or a most stays one. */
export function add(sum: Counts, part: Counts): Counts {
  const total = { ...sum, expiredS: { ...sum.expiredS }, longestExpiredS: { ...sum.longestExpiredS } };
  for (const key of Object.keys(part) as (keyof Counts)[]) {
    const value = part[key];
    if (typeof value !== "number") continue;
    const before = sum[key] as number;
    (total[key] as number) = /^(longest|most)/.test(key) ? Math.max(before, value) : before + value;
  }
  for (const why of EXPIRED_BECAUSE) {
    total.expiredS[why] += part.expiredS[why];
    total.longestExpiredS[why] = Math.max(sum.longestExpiredS[why], part.longestExpiredS[why]);
  }
  for (const list of ["guiltySeeds", "needlessSeeds", "slowSeeds"] as const)
    total[list] = [...sum[list], ...part[list]];
  return total;
}
