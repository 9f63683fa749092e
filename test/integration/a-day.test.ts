/**
 * The promise, end to end: hours of a host with outages and deployments, everything real but the pace and AWS.
 *
 * Processes take their real time however fast the clock runs: a refresh and a sync a quarter of a second each, a new
 * worker half of one. At a factor of 600 these are minutes, of which sessions of an hour refreshed each half an hour
 * have two to spare (FACTS, pickup window). So `make test` lives through six hours with a refresh each quarter of an
 * hour; `IDC_TEST_DAY=full` lives through 24 as shipped, in twelve minutes.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import type { Status } from "../../src/report/status.ts";
import { type RunningAgent, startAgent } from "../agent/launch.ts";
import type { TraceEvent } from "../agent/trace.ts";
import { type Emulator, startEmulator } from "../aws-emulator/emulator.ts";
import { isRunning } from "../harness/processes.ts";
import { COMPILE_CACHE, ScratchHost, SERIAL, SESSION_ARN } from "../harness/scratch-host.ts";

const isFull = process.env.IDC_TEST_DAY === "full";
const FACTOR = isFull ? 120 : 600;
const HOURS = isFull ? 24 : 6;
const EVERY_MINUTES = isFull ? 30 : 15;
const HOUR_MS = 3_600_000 / FACTOR;
const PICKUP_WINDOW_MS = 1_680_000 / FACTOR;
/** The longest backoff step, and what a millisecond more or less in a status file amounts to. */
const LONGEST_STEP_MS = 40_000;
const ROUNDING_MS = 20 * FACTOR;
/** Real time that may pass from the decision to reload to the signal. */
const SYNC_TAKES_MS = 2_000;

interface Outage {
  from: number;
  to: number;
  begin(emulator: Emulator): void | Promise<void>;
}

const stsFails =
  (kind: "error-500" | "hang") =>
  ({ faults }: Emulator) =>
    void faults.set({ match: { service: "sts" }, kind });

/**
 * Three outages: a short one in which nothing expires; a long one of all of AWS, in which what the agent holds does;
 * one of STS across several lives of a session, in which the agent polls on with what has expired.
 */
const OUTAGES: Outage[] = [
  { ...(isFull ? { from: 3, to: 3.4 } : { from: 0.6, to: 0.9 }), begin: stsFails("error-500") },
  {
    ...(isFull ? { from: 6, to: 9 } : { from: 1.3, to: 2.6 }),
    begin: ({ faults }) => void faults.set({ kind: "hang" }),
  },
  { ...(isFull ? { from: 14, to: 19 } : { from: 3.2, to: 5.2 }), begin: stsFails("hang") },
];

/** When a deployment comes, how long its script runs, and whether it leaves an application: some in each outage. */
const EVENT_HOURS = isFull
  ? [1, 2.2, 3.1, 4.6, 8.9, 10.5, 12, 13, 14.1, 19.3, 20.5, 22.5]
  : [0.2, 0.4, 0.65, 1, 1.15, 2.5, 3.1, 3.15, 3.25, 5.1, 5.8, 5.9];
const EVENTS = EVENT_HOURS.map((at, n) => ({ at, minutes: 4 + (n % 3) * 2, leaves: n % 3 === 1 }));

interface Day {
  emulator: Emulator;
  host: ScratchHost;
  agent: RunningAgent;
}

async function startDay(): Promise<Day & { log(): string }> {
  const emulator = await startEmulator({ timeFactor: FACTOR });
  // From a poll to its acknowledgement two requests pass, which take their real time.
  emulator.settings.change({ redeliverAfterMs: 5_000 * FACTOR });
  emulator.instances.put({ name: SERIAL, region: "ap-northeast-2", iamSessionArn: SESSION_ARN });
  const config = `schedule: "*/${EVERY_MINUTES} * * * *"
network: { connect_timeout: 1s, request_timeout: 1s }
`;
  const host = new ScratchHost({ endpoint: emulator.url, timeFactor: FACTOR, config });
  const unit = host.startPathUnit();
  const run = host.startRun();
  onTestFinished(async () => {
    await host.close();
    await emulator.close();
  });
  await host.waitForStatus(
    ({ agent }) => ["repaired", "matches"].includes(agent.config_match),
    "the first install",
  );
  const agent = await startAgent({
    directory: host.agentDirectory,
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE },
    endpoint: emulator.url,
    timeFactor: FACTOR,
  });
  onTestFinished(() => agent.stop());
  await agent.waitForTrace(({ kind }) => kind === "poll_ok");
  return { emulator, host, agent, log: () => `${run.log()}\n${unit.log()}` };
}

interface Lived {
  /** When each outage ended. */
  ends: number[];
  /** For each outage the longest pause before another attempt that status announced in it, in simulated time. */
  longestPausesMs: number[];
  eventIds: string[];
}

async function liveThrough({ emulator, host }: Day): Promise<Lived> {
  const startMs = Date.now();
  const at = (hour: number) => sleep(Math.max(0, startMs + hour * HOUR_MS - Date.now()));
  const bringAbout = async ({ from, to, begin }: Outage) => {
    await at(from);
    await begin(emulator);
    let longestPauseMs = 0;
    // Until a refresh has met it, however late that is on a busy machine.
    while (longestPauseMs === 0 || Date.now() < startMs + to * HOUR_MS) {
      longestPauseMs = Math.max(longestPauseMs, pauseMs(host.status()));
      await sleep(20);
    }
    emulator.faults.clear();
    return { endMs: Date.now(), longestPauseMs };
  };
  // One after the other, so that none ends the next.
  const outages = (async () => {
    const over: { endMs: number; longestPauseMs: number }[] = [];
    for (const outage of OUTAGES) over.push(await bringAbout(outage));
    return over;
  })();
  const eventIds = EVENTS.map(async ({ at: hour, minutes, leaves }) => {
    await at(hour);
    const work = `sleep ${((minutes / 60) * HOUR_MS) / 1_000}\n`;
    const application = `sleep 3600 >/dev/null 2>&1 & echo $! >> ${join(host.directory, "applications")}\n`;
    return emulator.events.queue({ hostIdentifier: SESSION_ARN, script: (leaves ? application : "") + work })
      .id;
  });
  await at(HOURS);
  const over = await outages;
  return {
    ends: over.map(({ endMs }) => endMs),
    longestPausesMs: over.map(({ longestPauseMs }) => longestPauseMs),
    eventIds: await Promise.all(eventIds),
  };
}

/** Between a failed attempt and the next, in simulated milliseconds; 0 when none has failed. */
function pauseMs(status: Status | null): number {
  const { last_attempt: attempt, next_refresh_at: next } = status ?? {};
  if (attempt?.result !== "failed" || !attempt.finished_at || !next) return 0;
  return (Date.parse(next) - Date.parse(attempt.finished_at)) * FACTOR;
}

const assumeRoles = (emulator: Emulator) =>
  emulator.requests.list().filter(({ action }) => action === "AssumeRole");

/**
 * What expired while STS was away is nobody's fault until the refresh that ends the outage has come, within one
 * backoff step, and the agent has polled with it. Every other poll with an expired credential is.
 */
function recoveries({ emulator, agent }: Day, ends: readonly number[]): { from: number; to: number }[] {
  return ends.map((from) => {
    const after = assumeRoles(emulator).filter(({ at }) => at.getTime() >= from);
    // The attempt that was waiting for its turn is the one that succeeds: no step of the backoff is skipped.
    expect(after[0]?.status).toBe(200);
    const issued = after[0]?.endedAt?.getTime() ?? Number.POSITIVE_INFINITY;
    const polled = agent.trace().find(({ kind, at }) => kind === "poll_ok" && Date.parse(at) > issued);
    return { from, to: polled === undefined ? Number.POSITIVE_INFINITY : Date.parse(polled.at) };
  });
}

function expiredPolls(day: Day, ends: readonly number[]) {
  const excused = recoveries(day, ends);
  return day.emulator.requests
    .list()
    .filter(({ action, credentials, stsReachable }) => {
      return action === "PollHostCommand" && credentials === "expired" && stsReachable;
    })
    .filter(({ at }) => !excused.some(({ from, to }) => at.getTime() >= from && at.getTime() <= to));
}

/**
 * Whether, since the worker started that was then told to end, a session came so late that the one before was to
 * expire before the agent had read the new one by itself; and whether that moment had not passed.
 */
function wasNeeded({ emulator, agent }: Day, { at, pid }: TraceEvent): boolean {
  const started = agent.trace().find((event) => event.kind === "worker_started" && event.pid === pid);
  const startedMs = Date.parse(started?.at ?? "");
  const sessions = emulator.sessions.list();
  return sessions.some(({ issuedAt }, n) => {
    const readMs = issuedAt.getTime() + PICKUP_WINDOW_MS;
    const previous = sessions[n - 1];
    const isLate = previous === undefined || previous.expiresAt.getTime() < readMs;
    return isLate && issuedAt.getTime() > startedMs && Date.parse(at) < readMs + SYNC_TAKES_MS;
  });
}

it(`${HOURS} hours with three outages and a dozen lifecycle events: no expired poll, no failed event, no needless reload`, {
  timeout: HOURS * HOUR_MS + 180_000,
}, async () => {
  const day = await startDay();
  const { emulator, host, agent } = day;
  const { ends, longestPausesMs, eventIds } = await liveThrough(day);
  const states = await Promise.all(eventIds.map(async (id) => (await emulator.events.waitFor(id)).state));
  const applications = readFileSync(join(host.directory, "applications"), "utf8")
    .trim()
    .split("\n")
    .map(Number);
  const alive = applications.filter(isRunning);
  for (const pid of alive) process.kill(pid, "SIGKILL");
  const reloads = agent.trace().filter(({ kind }) => kind === "shutdown");

  expect(states).toEqual(EVENTS.map(() => "succeeded"));
  expect(alive).toHaveLength(EVENTS.filter(({ leaves }) => leaves).length);
  for (const longestMs of longestPausesMs) {
    expect(longestMs).toBeGreaterThan(0);
    expect(longestMs).toBeLessThanOrEqual(LONGEST_STEP_MS + ROUNDING_MS);
  }
  expect(expiredPolls(day, ends)).toEqual([]);
  const needless = reloads.filter((reload) => !wasNeeded(day, reload));
  expect(needless, day.log()).toEqual([]);
  // What expired in an outage was loaded by a reload, unless an event deferred that until it was moot.
  expect(reloads.length).toBeGreaterThanOrEqual(1);
  // The schedule was kept whenever AWS was there.
  const away = OUTAGES.reduce((hours, { from, to }) => hours + to - from, 0);
  const issued = assumeRoles(emulator).filter(({ status }) => status === 200).length;
  expect(issued).toBeGreaterThanOrEqual(Math.floor(((HOURS - away) * 60) / EVERY_MINUTES) - 2);
  const polls = agent.trace().filter(({ kind }) => kind === "poll_ok");
  expect(polls.length).toBeGreaterThan(100);
});
