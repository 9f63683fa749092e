/** Watches a trace, and counts what the program under test is to be judged by. */
import { basename, dirname } from "node:path";
import { AGENT_CONFIG } from "./agent.ts";
import type { Counts, ExpiredBecause } from "./counts.ts";
import type { HostEvents, VirtualHost } from "./host.ts";
import { REACHABILITY } from "./sts.ts";

/** STS, and the host, must have been good for this long before an expired poll is anybody's fault. */
const GRACE_MS = 60_000;
/** More than two long polls and the longest pause between them. */
const SILENCE_MS = 240_000;
/** FACTS: a file that was written at W has surely been read by then. */
const PICKUP_WINDOW_MS = 1_680_000;
/** `run` looks at the clock once a minute. */
const NOTICED_WITHIN_MS = 60_000;
/** A reload that an event stood in the way of comes within this after its end: a minute, and five between two. */
const AFTER_EVENT_MS = 6 * 60_000;

export class Judge implements HostEvents {
  readonly #counts: Counts;
  readonly #credentialsFile: string;
  readonly #credentialsDirectory: string;
  readonly #credentialsName: string;
  readonly #tell: (when: number, what: string) => void;
  #host!: VirtualHost;
  /** Why the poll before this one was made with an expired credential; null when it was not. */
  #expired: ExpiredBecause | null = null;
  #expiredForS = 0;
  #polledAt = 0;
  #goodPollAt = Number.NEGATIVE_INFINITY;
  #eventSeenAt = Number.NEGATIVE_INFINITY;
  /** Since when the host has been up, awake and able to write. */
  #hostGoodSince = Number.NEGATIVE_INFINITY;
  #callsToday = 0;
  /** Since when nothing but credentials and config has kept the agent from polling. */
  #hearingSince = Number.NEGATIVE_INFINITY;
  #hasLastCallFailed = false;
  /** When STS came back to one whose last call had failed; null when nobody waits. */
  #recoveringSince: number | null = null;
  #isRestarting = false;
  /** Of what the file holds. */
  #expiresAt: number | null = null;
  readonly #writes: { at: number; previous: number | null }[] = [];
  readonly #stepsBack: { at: number; byMs: number }[] = [];

  constructor(counts: Counts, credentialsFile: string, tell: (when: number, what: string) => void) {
    this.#counts = counts;
    this.#credentialsFile = credentialsFile;
    this.#credentialsDirectory = dirname(credentialsFile);
    this.#credentialsName = basename(credentialsFile);
    this.#tell = tell;
  }

  attach(host: VirtualHost): void {
    this.#host = host;
    const { sts } = host;
    sts.onCall = () => {
      this.#counts.assumeRoleCalls += 1;
      this.#callsToday += 1;
      this.#hasLastCallFailed = !sts.isGood;
    };
    sts.onRecovered = (fault) => {
      // Whoever has not called meanwhile has nothing to recover from.
      if (!REACHABILITY.has(fault) || !this.#hasLastCallFailed || !this.#isHostGoodFor(GRACE_MS)) return;
      this.#recoveringSince = host.time.now;
    };
  }

  /** Something has happened to the host or to STS. */
  noteHost(): void {
    const { power, disk, time, sts, isConfigWrong } = this.#host;
    const isGood = power === "on" && !disk.isFull && !isConfigWrong;
    if (!isGood) this.#hostGoodSince = Number.POSITIVE_INFINITY;
    else if (this.#hostGoodSince === Number.POSITIVE_INFINITY) this.#hostGoodSince = time.now;
    if (!isGood || !sts.isGood) this.#recoveringSince = null;
  }

  steppedBack(byMs: number): void {
    this.#stepsBack.push({ at: this.#host.time.now, byMs });
  }

  fileChanged(directory: string, name: string): void {
    if (name !== this.#credentialsName || directory !== this.#credentialsDirectory) return;
    const expiresAt = this.#fileExpiresAt();
    if (expiresAt !== this.#expiresAt)
      this.#writes.push({ at: this.#host.time.now, previous: this.#expiresAt });
    this.#expiresAt = expiresAt;
    if (expiresAt !== null) this.#noteRecovery();
  }

  #noteRecovery(): void {
    if (this.#recoveringSince === null) return;
    const counts = this.#counts;
    const tookMs = this.#host.time.now - this.#recoveringSince;
    this.#recoveringSince = null;
    counts.recoveries += 1;
    if (tookMs > GRACE_MS) this.#say(`fresh only ${tookMs / 1_000} s after STS came back`);
    counts.longestRecoveryMs = Math.max(counts.longestRecoveryMs, tookMs);
  }

  polled(outcome: "good" | "expired" | "failed"): void {
    const { time, agent } = this.#host;
    this.#counts.polls += 1;
    if (agent.hasEvent) this.#eventSeenAt = time.now;
    if (outcome === "good") this.#goodPollAt = time.now;
    const before = this.#expired;
    if (before !== null) this.#account(before, (time.now - this.#polledAt) / 1_000);
    this.#expired = outcome === "expired" ? this.#excuse() : null;
    if (this.#expired !== before) this.#expiredForS = 0;
    if (this.#expired === "nothing") this.#say("polls with an expired credential");
    this.#polledAt = time.now;
  }

  eventEnded(outcome: "succeeded" | "failed-by-crash" | "killed" | "not-reported"): void {
    const counts = this.#counts;
    this.#eventSeenAt = this.#host.time.now;
    this.#say(`event ${outcome}`);
    if (outcome === "succeeded") counts.eventsSucceeded += 1;
    else if (outcome === "failed-by-crash") counts.eventsFailedByCrash += 1;
    else if (outcome === "killed" && this.#isRestarting) counts.eventsFailedByUs += 1;
    else if (outcome === "not-reported") counts.eventsNotReported += 1;
  }

  processesKilled(count: number): void {
    if (this.#isRestarting) this.#counts.processesKilledByUs += count;
  }

  agentTouched(verb: "reload" | "restart", act: () => void): void {
    const counts = this.#counts;
    if (verb === "restart") counts.restarts += 1;
    else counts.reloads += 1;
    if (!this.#isNeeded()) {
      counts.needlessReloads += 1;
      this.#say(`${verb} without need`);
    } else if (!this.#host.agent.wouldLapse && !this.#hasOtherConfig()) counts.needlessInHindsight += 1;
    this.#isRestarting = verb === "restart";
    act();
    this.#isRestarting = false;
  }

  /** Is called each minute. */
  minutePasses(): void {
    const { power, agent, sts, time } = this.#host;
    const mayPoll = power === "on" && agent.state === "running" && !sts.isNetworkDown;
    if (!mayPoll) this.#hearingSince = time.now;
    const heardAt = Math.max(this.#goodPollAt, this.#hearingSince);
    if (mayPoll && time.now - heardAt > SILENCE_MS) this.#counts.deafS += 60;
  }

  dayEnds(isQuiet: boolean): void {
    if (isQuiet) this.#counts.mostCallsADay = Math.max(this.#counts.mostCallsADay, this.#callsToday);
    this.#callsToday = 0;
  }

  finish(seed: number): void {
    const counts = this.#counts;
    if (counts.expiredS.nothing > 0) counts.guiltySeeds.push(seed);
    if (counts.needlessReloads > 0) counts.needlessSeeds.push(seed);
    if (counts.longestRecoveryMs > GRACE_MS) counts.slowSeeds.push(seed);
  }

  /**
   * By DESIGN's rule, on what is true rather than on what the program believes: the worker started before a config that
   * it must have, or before a write of the file whose predecessor expires before the agent has surely read it. Of a step
   * of the clock the program knows when it noticed it, and must take it for as late as that.
   */
  #isNeeded(): boolean {
    const { agent, time } = this.#host;
    const { worker } = agent;
    if (worker === null || worker.isLeaving) return true;
    if (this.#hasOtherConfig()) return true;
    const steps = this.#stepsBack.filter(({ at }) => at >= worker.startedAt);
    const windowMs = steps.reduce((sum, { byMs }) => sum + byMs, PICKUP_WINDOW_MS);
    const file = this.#fileExpiresAt();
    return (
      this.#writes.some(
        ({ at, previous }) =>
          at >= worker.startedAt &&
          time.now < at + windowMs &&
          (previous === null || previous < at + windowMs),
      ) || steps.some(({ at }) => file === null || file < at + NOTICED_WITHIN_MS + windowMs)
    );
  }

  /** Whether the config was replaced since the worker read it. */
  #hasOtherConfig(): boolean {
    const { agent, disk } = this.#host;
    const config = disk.find(AGENT_CONFIG);
    return config !== undefined && config.inode !== agent.worker?.configInode;
  }

  /** When what the file holds expires; null where that is nothing that STS has issued. */
  #fileExpiresAt(): number | null {
    const { disk, sts } = this.#host;
    const text = disk.find(this.#credentialsFile)?.content.toString("utf8") ?? "";
    return sts.session(/^aws_session_token = (\S+)$/m.exec(text)?.[1] ?? "")?.expiresAt ?? null;
  }

  #excuse(): ExpiredBecause {
    const { time, agent, disk, sts } = this.#host;
    if (agent.hasEvent || time.now - this.#eventSeenAt < AFTER_EVENT_MS) return "event";
    if (disk.isFull) return "disk";
    if (this.#host.isConfigWrong) return "config";
    const hasStsBeenGood = sts.goodSince !== null && time.now - sts.goodSince >= GRACE_MS;
    return hasStsBeenGood && this.#isHostGoodFor(GRACE_MS) ? "nothing" : "outage";
  }

  #isHostGoodFor(ms: number): boolean {
    return this.#host.time.now - this.#hostGoodSince >= ms;
  }

  #account(why: ExpiredBecause, seconds: number): void {
    const { expiredS, longestExpiredS } = this.#counts;
    expiredS[why] += seconds;
    this.#expiredForS += seconds;
    longestExpiredS[why] = Math.max(longestExpiredS[why], this.#expiredForS);
  }

  #say(what: string): void {
    this.#tell(this.#host.time.now, what);
  }
}
