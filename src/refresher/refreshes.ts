/**
 * The refreshes of `run`, one after the other: whether one is due, the child that makes it, and what its end leaves
 * behind. What the rest of `run` makes of them is its own affair ({@link RefreshEvents}).
 */
import type { Config } from "../config/config.ts";
import { errorText } from "../failure.ts";
import { type Instant, readClock } from "../host/clock.ts";
import type { Announcer } from "./announcer.ts";
import { Attempts, type FailureStreak } from "./attempts.ts";
import type { CredentialsWatch } from "./credentials-watch.ts";
import { type Plan, planOn } from "./plan.ts";
import { type RefreshOutcome, startRefresh } from "./refresh-child.ts";
import { decideRefresh, type RefreshDecision, type RefreshReason } from "./refresh-policy.ts";
import { ScheduleKeeper } from "./schedule-keeper.ts";
import { giveBackMemory } from "./spare-memory.ts";

const MARGIN_MS = 5 * 60_000;

export interface RefreshEvents {
  /** One is about to start. */
  begins(now: Instant): void;
  /** Before the next may start. */
  ended(outcome: RefreshOutcome, streak: FailureStreak | null, now: Instant): Promise<void>;
  /** Something may be due now. */
  changed(): void;
}

export interface RefreshesOptions {
  /** Instants of the schedule. */
  refreshes: Plan["refreshes"];
  startedAtMs: number;
  /** The one in force. */
  config: () => Config;
  credentials: CredentialsWatch;
  announcer: Announcer;
  factor: number;
  env: NodeJS.ProcessEnv;
  events: RefreshEvents;
}

export class Refreshes {
  readonly attempts: Attempts;
  readonly #options: RefreshesOptions;
  readonly #schedule: ScheduleKeeper;
  /** What was taken for granted must be looked at again: a start, a jump of the clock, a wake-up. */
  #isUnsettled = true;
  #isAsked = false;
  /** A refresh has left garbage behind. */
  #isUntidy = false;
  /** The end of the refresh under way, with all that follows from it. */
  #ending: Promise<void> = Promise.resolve();

  constructor(options: RefreshesOptions) {
    const { refreshes, startedAtMs, announcer, events, factor } = options;
    this.#options = options;
    this.attempts = new Attempts(factor);
    this.#schedule = new ScheduleKeeper(refreshes, startedAtMs, {
      onPlanned: () => events.changed(),
      onError: (error) => announcer.scheduleUnknown(errorText(error)),
    });
  }

  get isUnderWay(): boolean {
    return this.attempts.child !== null;
  }

  /** New credentials are wanted, whatever the schedule says. */
  ask(): void {
    this.#isAsked = true;
  }

  unsettle(): void {
    this.#isUnsettled = true;
  }

  /** Another configuration's instants. */
  replaceSchedule(refreshes: Plan["refreshes"]): void {
    this.#schedule.replace(refreshes, Date.now());
  }

  async planAhead({ wallMs }: Instant): Promise<void> {
    const { config, env } = this.#options;
    await this.#schedule.plan(wallMs, () => planOn(config(), env));
  }

  /** @returns whether there is nothing to do */
  startIfDue(now: Instant): boolean {
    if (this.#schedule.nextBootMs(now) === null) void this.planAhead(now);
    const { refresh } = this.#decide(now);
    this.#isUnsettled = false;
    if (refresh !== null) this.#start(refresh, now);
    return refresh === null;
  }

  /** When the next one starts; null while one is under way, or nothing says when. */
  nextBootMs(now: Instant): number | null {
    if (this.isUnderWay) return null;
    const decision = this.#decide(now);
    if (decision.refresh !== null) return now.bootMs;
    return Number.isFinite(decision.untilBootMs) ? decision.untilBootMs : null;
  }

  /** Once all that follows from a refresh is done. */
  tidyUp(): void {
    if (!this.#isUntidy || this.isUnderWay) return;
    this.#isUntidy = false;
    giveBackMemory();
  }

  /** Waits for the one under way; after so long it is ended. */
  async finish(graceMs: number): Promise<void> {
    const { child } = this.attempts;
    if (child === null) return;
    const timer = setTimeout(() => child.kill(), graceMs);
    await this.#ending;
    clearTimeout(timer);
  }

  #decide(now: Instant): RefreshDecision {
    const { credentials, factor } = this.#options;
    return decideRefresh({
      nowBootMs: now.bootMs,
      file: credentials.file,
      halfLifeBootMs: credentials.halfLifeBootMs(now),
      expiresBootMs: credentials.expiresBootMs(now),
      scheduledBootMs: this.#schedule.nextBootMs(now),
      retryBootMs: this.attempts.streak?.retryBootMs ?? null,
      isUnsettled: this.#isUnsettled,
      isAsked: this.#isAsked,
      marginMs: MARGIN_MS / factor,
    });
  }

  #start(reason: RefreshReason, now: Instant): void {
    const { config, factor, env, events } = this.#options;
    events.begins(now);
    this.#isAsked = false;
    this.#schedule.dealtWith(now.wallMs);
    this.#isUntidy = true;
    const child = startRefresh(config(), factor, env);
    this.attempts.begin(child, reason, now);
    this.#ending = child.outcome.then((outcome) => this.#ended(outcome)).finally(() => events.changed());
  }

  async #ended(outcome: RefreshOutcome): Promise<void> {
    const { credentials, events } = this.#options;
    // Before the attempt counts as ended: else the loop, woken by the new file, would decide on the old look.
    await credentials.look();
    const now = readClock();
    const streak = this.attempts.end(outcome, now, credentials.expiresBootMs(now));
    await events.ended(outcome, streak, now);
  }
}
