/** Lives through one scenario with a whole fleet, in virtual time. */
import { Random } from "../../test/faults/continuity/random.ts";
import { Agenda } from "./agenda.ts";
import type { Policy } from "./policies.ts";
import type { Scenario } from "./scenarios.ts";
import { StsModel } from "./sts-model.ts";

export const SESSION_MS = 3_600_000;
/** From the decision to the call's arrival: a cold child of 0.1 to 0.5 s, as slow machines have it. */
const START_MS = { least: 100, spread: 400 };

/** What a host waited for when the scenario's trouble was over, and when it got it. */
export interface Waited {
  expiresAt: number;
  grantedAt: number;
}

export interface Course {
  /** Calls and granted calls in each second. */
  offered: Uint32Array;
  granted: Uint32Array;
  /** Hosts whose due refresh has failed, at the end of each second. */
  waiting: Uint32Array;
  /** First calls of refreshes that were due, in each second: what a perfect order would have served. */
  needs: Uint32Array;
  /** Of the hosts that waited when the trouble was over. */
  backlog: Waited[];
  /** Seconds, over all hosts, in which a host's session had expired after the trouble was over. */
  expiredHostS: number;
  expiredHosts: number;
  longestWaitS: number;
}

export function live(scenario: Scenario, policy: Policy, hosts: number, seed: number): Course {
  const random = new Random(seed);
  const next = () => random.next();
  const seconds = Math.ceil(scenario.endMs / 1_000);
  const course: Course = {
    offered: new Uint32Array(seconds),
    granted: new Uint32Array(seconds),
    waiting: new Uint32Array(seconds),
    needs: new Uint32Array(seconds),
    backlog: [],
    expiredHostS: 0,
    expiredHosts: 0,
    longestWaitS: 0,
  };
  const sts = new StsModel(scenario);
  const agenda = new Agenda(hosts);
  const offsets = new Float64Array(hosts);
  const expires = new Float64Array(hosts);
  const failures = new Uint32Array(hosts);
  const throttled = new Uint32Array(hosts);
  const neededAt = new Float64Array(hosts);
  const arrival = (ms: number) => ms + START_MS.least + next() * START_MS.spread;
  for (let host = 0; host < hosts; host += 1) {
    const offset = policy.offsetOf(`serial-${seed}-${host}`);
    offsets[host] = offset;
    const bootedAt = scenario.bootAt?.(next) ?? null;
    const previous = policy.scheduledAfter(-1_800_000, offset);
    expires[host] = bootedAt === null ? previous + SESSION_MS : scenario.expiresAtBoot;
    agenda.add(host, arrival(bootedAt ?? policy.scheduledAfter(0, offset)));
  }
  let waiting = 0;
  let second = 0;
  while (agenda.nextAt < scenario.endMs) {
    const now = agenda.nextAt;
    const host = agenda.take();
    for (; second < Math.floor(now / 1_000); second += 1) course.waiting[second] = waiting;
    const isFirst = failures[host] === 0;
    count(course.offered, second);
    if (isFirst) {
      count(course.needs, second);
      neededAt[host] = now;
    }
    const answer = sts.call(now);
    if (answer === "granted") {
      count(course.granted, second);
      note(course, scenario, {
        now,
        neededAt: neededAt[host] as number,
        expiresAt: expires[host] as number,
        isFirst,
      });
      if (!isFirst) waiting -= 1;
      failures[host] = 0;
      throttled[host] = 0;
      expires[host] = now + SESSION_MS;
      agenda.add(host, arrival(policy.scheduledAfter(now, offsets[host] as number)));
    } else {
      if (isFirst) waiting += 1;
      failures[host] = (failures[host] as number) + 1;
      throttled[host] = answer === "throttled" ? (throttled[host] as number) + 1 : 0;
      const call = {
        atMs: now,
        kind: answer,
        failuresInARow: failures[host] as number,
        throttledInARow: throttled[host] as number,
        remainingMs: (expires[host] as number) - now,
      };
      agenda.add(host, arrival(policy.retryAt(call, offsets[host] as number, next)));
    }
  }
  for (; second < seconds; second += 1) course.waiting[second] = waiting;
  return course;
}

function count(perSecond: Uint32Array, second: number): void {
  perSecond[second] = (perSecond[second] as number) + 1;
}

interface Grant {
  now: number;
  neededAt: number;
  expiresAt: number;
  isFirst: boolean;
}

function note(course: Course, { overMs }: Scenario, { now, neededAt, expiresAt, isFirst }: Grant): void {
  if (now < overMs) return;
  course.longestWaitS = Math.max(course.longestWaitS, (now - Math.max(neededAt, overMs)) / 1_000);
  const expiredMs = now - Math.max(expiresAt, overMs);
  if (expiredMs > 0) {
    course.expiredHostS += expiredMs / 1_000;
    course.expiredHosts += 1;
  }
  if (!isFirst && neededAt <= overMs) course.backlog.push({ expiresAt, grantedAt: now });
}
