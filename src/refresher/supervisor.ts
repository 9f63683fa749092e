/**
 * The loop of `run`: looks at clock, files and answers, decides, starts a refresh child, asks for a sync, reports,
 * and sleeps until something is due.
 *
 * It never loads the AWS SDK and never holds a credential: it knows the file by its hash.
 */
import type { Config } from "../config/config.ts";
import { agentRuntimeFiles, runtimeFiles, stateFiles } from "../config/paths.ts";
import {
  expiresBootMs,
  type FileState,
  halfLifeBootMs,
  inspectFile,
  type RefreshRecord,
  readRecord,
} from "../credentials/record.ts";
import { errorText, type FailureReport } from "../failure.ts";
import { type Instant, readBootId, readClock } from "../host/clock.ts";
import type { Notifier } from "../host/notify.ts";
import type { Log } from "../report/log.ts";
import { writeStatus } from "../report/status.ts";
import { AgentLink } from "./agent-link.ts";
import { Alarm } from "./alarm.ts";
import { Announcer } from "./announcer.ts";
import { backoffDelayMs } from "./backoff.ts";
import { ClockWatch } from "./clock-watch.ts";
import { type Attempt, type Health, statusLine, statusOf } from "./health.ts";
import type { RefreshWarning } from "./issue.ts";
import { type MustLoad, mustLoadSince } from "./pickup.ts";
import { makePlan, type Plan } from "./plan.ts";
import { type RefreshChild, type RefreshOutcome, startRefresh } from "./refresh-child.ts";
import { decideRefresh, type RefreshReason } from "./refresh-policy.ts";
import { fingerprint, WatchedFiles } from "./watched-files.ts";

/** Two wake-ups a minute at rest: soon enough to notice a step of the clock, rare enough to be no load. */
const TICK_MS = 30_000;
const MARGIN_MS = 5 * 60_000;
/** READY comes with the end of the first attempt, or after this: a boot must not wait for STS. */
const READY_AFTER_MS = 45_000;
/** A refresh under way at SIGTERM may finish within this; it is atomic, so ending it then harms nothing. */
const STOP_GRACE_MS = 20_000;

export interface SupervisorOptions {
  plan: Plan;
  factor: number;
  log: Log;
  notifier: Notifier;
  env: NodeJS.ProcessEnv;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #alarm = new Alarm();
  readonly #announcer: Announcer;
  readonly #bootId = readBootId();
  readonly #startedAt = readClock();
  readonly #clock: ClockWatch;
  readonly #link: AgentLink;
  #plan: Plan;
  #files: WatchedFiles;
  #configLoadedAtMs = Date.now();
  #configRejected: string | null = null;
  #record: RefreshRecord | null = null;
  #file: FileState = "missing";
  #seenFile = "";
  #baseFile: string;
  #child: RefreshChild | null = null;
  #attempt: Attempt | null = null;
  #failure: FailureReport | null = null;
  #failuresInARow = 0;
  #failingSinceMs: number | null = null;
  #retryBootMs: number | null = null;
  #warnings: RefreshWarning[] = [];
  /** Instants of the schedule up to here, by the wall clock, are dealt with. */
  #scheduledAfterMs: number;
  #isUnsettled = true;
  #isAsked = false;
  #hasNews = true;
  #isReady = false;
  #isReplanning = false;
  #isStopping = false;
  #statusError: string | null = null;

  private constructor(options: SupervisorOptions, clock: ClockWatch) {
    this.#options = options;
    this.#plan = options.plan;
    this.#clock = clock;
    this.#announcer = new Announcer(options.log);
    const { config } = options.plan;
    this.#link = new AgentLink({ paths: config.paths, bootId: this.#bootId, factor: options.factor });
    this.#scheduledAfterMs = this.#startedAt.wallMs;
    this.#baseFile = fingerprint(config.baseCredentials.file);
    this.#files = this.#watch(config);
  }

  static async create(options: SupervisorOptions): Promise<Supervisor> {
    const path = stateFiles(options.plan.config.paths).runRecord;
    return new Supervisor(options, await ClockWatch.open(path, readBootId(), readClock()));
  }

  /** Runs until {@link stop}; the credentials file outlives it. */
  async run(): Promise<void> {
    const unready = setTimeout(() => void this.#becomeReady(), READY_AFTER_MS / this.#options.factor);
    while (!this.#isStopping) {
      const now = readClock();
      await this.#look(now);
      if (this.#child === null) await this.#refreshIfDue(now);
      await this.#askAgent(now);
      await this.#report(now);
      await this.#options.notifier.send("WATCHDOG=1");
      await this.#alarm.sleep(this.#sleepMs(readClock()));
    }
    clearTimeout(unready);
    await this.#finish();
  }

  /** An operator wants new credentials now. */
  askRefresh(): void {
    this.#isAsked = true;
    this.#alarm.ring();
  }

  stop(): void {
    this.#isStopping = true;
    this.#alarm.ring();
  }

  /** Re-reads the config; a wrong one is reported, and the old one stays in force. */
  async reload(): Promise<void> {
    const { log, notifier, env } = this.#options;
    await notifier.send(
      "RELOADING=1",
      `MONOTONIC_USEC=${Math.round(process.hrtime()[0] * 1e6 + process.hrtime()[1] / 1e3)}`,
    );
    const file = this.#plan.config.configFile;
    try {
      const plan = await makePlan(file, env);
      const isSamePlace = JSON.stringify(plan.config.paths) === JSON.stringify(this.#plan.config.paths);
      if (!isSamePlace) {
        log.warn("config_needs_restart", {
          message: `paths in ${file} changed; the others are in force now`,
          next_step: "Run: systemctl restart idc-codedeploy-helper",
        });
      }
      this.#adopt({ ...plan, config: { ...plan.config, paths: this.#plan.config.paths } });
      this.#configRejected = null;
      log.info("config_reloaded", { file });
      for (const message of plan.warnings) log.warn("config_unknown_key", { message });
    } catch (error) {
      this.#configRejected = errorText(error);
      log.error("config_rejected", {
        file,
        message: this.#configRejected,
        next_step: "The old configuration stays in force. Run: idc-helper check-config",
      });
    }
    await notifier.send("READY=1");
    this.#alarm.ring();
  }

  #adopt(plan: Plan): void {
    const isOther = JSON.stringify(plan.config) !== JSON.stringify(this.#plan.config);
    this.#plan = plan;
    this.#configLoadedAtMs = Date.now();
    if (!isOther) return;
    this.#options.log.setLevel(plan.config.log.level);
    this.#files.close();
    this.#files = this.#watch(plan.config);
    this.#seenFile = "";
    this.#baseFile = fingerprint(plan.config.baseCredentials.file);
    // Another role, serial or file: what is there was issued under the old config.
    this.#isAsked = true;
    this.#hasNews = true;
  }

  #watch(config: Config): WatchedFiles {
    const paths = [
      config.credentialsFile.path,
      agentRuntimeFiles(config.paths).answer,
      config.baseCredentials.file,
    ];
    return new WatchedFiles(paths, () => this.#alarm.ring());
  }

  async #look(now: Instant): Promise<void> {
    const { steppedMs, sleptMs } = await this.#clock.observe(now);
    if (steppedMs !== 0 || sleptMs !== 0) {
      this.#options.log.info("clock_changed", {
        stepped_s: steppedMs / 1_000 || undefined,
        slept_s: sleptMs / 1_000 || undefined,
      });
      this.#isUnsettled = true;
      this.#hasNews = true;
      if (steppedMs !== 0) await this.#replan(now.wallMs);
    }
    const { config } = this.#plan;
    const seen = fingerprint(config.credentialsFile.path);
    if (seen !== this.#seenFile && this.#child === null) {
      this.#record = await readRecord(stateFiles(config.paths).refreshRecord);
      this.#file = await inspectFile(config.credentialsFile.path, this.#record);
      this.#seenFile = seen;
    }
    const base = fingerprint(config.baseCredentials.file);
    if (base !== this.#baseFile && this.#failure !== null) this.#isAsked = true;
    this.#baseFile = base;
    await this.#link.readAnswer();
  }

  async #refreshIfDue(now: Instant): Promise<void> {
    const decision = decideRefresh({
      nowBootMs: now.bootMs,
      file: this.#file,
      halfLifeBootMs: this.#record && halfLifeBootMs(this.#record, now, this.#bootId),
      expiresBootMs: this.#expiresBootMs(now),
      scheduledBootMs: this.#scheduledBootMs(now),
      retryBootMs: this.#retryBootMs,
      isUnsettled: this.#isUnsettled,
      isAsked: this.#isAsked,
      marginMs: MARGIN_MS / this.#options.factor,
    });
    this.#isUnsettled = false;
    if (decision.refresh === null) await this.#becomeReady();
    else this.#startRefresh(decision.refresh, now);
  }

  #startRefresh(reason: RefreshReason, now: Instant): void {
    const { factor, env } = this.#options;
    this.#isAsked = false;
    this.#scheduledAfterMs = Math.max(this.#scheduledAfterMs, now.wallMs);
    const number = (this.#attempt?.number ?? 0) + 1;
    this.#attempt = { number, reason, startedAtMs: now.wallMs, finishedAtMs: null, result: null };
    this.#child = startRefresh(this.#plan.config, factor, env);
    void this.#child.outcome.then((outcome) => this.#refreshEnded(outcome)).finally(() => this.#alarm.ring());
  }

  async #refreshEnded(outcome: RefreshOutcome): Promise<void> {
    const now = readClock();
    this.#child = null;
    this.#seenFile = "";
    if (this.#attempt) this.#attempt = { ...this.#attempt, finishedAtMs: now.wallMs, result: outcome.result };
    await this.#look(now);
    if (outcome.result === "issued") {
      this.#retryBootMs = null;
      this.#warnings = outcome.warnings;
      this.#hasNews = true;
      await this.#clock.save();
    } else {
      this.#failuresInARow += 1;
      this.#failingSinceMs ??= now.wallMs;
      this.#failure = outcome;
      const delay = backoffDelayMs(outcome, this.#failuresInARow, Math.random()) / this.#options.factor;
      this.#retryBootMs = now.bootMs + delay;
    }
    const retryInMs = this.#retryBootMs === null ? null : this.#retryBootMs - now.bootMs;
    this.#announcer.refreshed(outcome, this.#health(now), retryInMs);
    if (outcome.result === "issued") {
      this.#failure = null;
      this.#failuresInARow = 0;
      this.#failingSinceMs = null;
    }
    await this.#becomeReady();
  }

  async #askAgent(now: Instant): Promise<void> {
    if (this.#child !== null || this.#record === null) return;
    await this.#link.ask(this.#mustLoad(now), this.#hasNews, now.bootMs);
    this.#hasNews = false;
  }

  #mustLoad(now: Instant): MustLoad | null {
    return mustLoadSince({
      nowBootMs: now.bootMs,
      pickupWindowMs: this.#link.pickupWindowMs,
      writes: this.#record?.bootId === this.#bootId ? this.#record.writes : [],
      stepsBack: this.#clock.stepsBack,
      currentExpiresBootMs: this.#expiresBootMs(now),
      workerStartedBootMs: this.#link.workerStartedBootMs,
    });
  }

  #expiresBootMs(now: Instant): number | null {
    return this.#record && expiresBootMs(this.#record, now, this.#bootId);
  }

  #scheduledBootMs(now: Instant): number | null {
    const next = this.#plan.refreshes.find((time) => time > this.#scheduledAfterMs);
    if (next === undefined) void this.#replan(now.wallMs);
    return next === undefined ? null : now.bootMs + next - now.wallMs;
  }

  /** Times of the schedule are wall-clock: after a step, or when they run out, they are worked out anew. */
  async #replan(afterMs: number): Promise<void> {
    this.#scheduledAfterMs = afterMs;
    if (this.#isReplanning) return;
    this.#isReplanning = true;
    try {
      const { refreshes } = await makePlan(this.#plan.config.configFile, this.#options.env);
      this.#plan = { ...this.#plan, refreshes };
    } catch (error) {
      // A config broken meanwhile: half of the session's life is the schedule until it is mended.
      this.#options.log.warn("schedule_unknown", {
        message: errorText(error),
        next_step: "Run: idc-helper check-config",
      });
    } finally {
      this.#isReplanning = false;
    }
  }

  async #report(now: Instant): Promise<void> {
    const health = this.#health(now);
    this.#announcer.observe(health);
    await this.#writeStatus(health);
    await this.#options.notifier.send(`STATUS=${statusLine(health)}`);
  }

  async #writeStatus(health: Health): Promise<void> {
    const path = runtimeFiles(this.#plan.config.paths).status;
    try {
      await writeStatus(path, statusOf(health));
      this.#statusError = null;
    } catch (error) {
      const why = errorText(error);
      if (why !== this.#statusError) this.#options.log.warn("status_not_written", { file: path, why });
      this.#statusError = why;
    }
  }

  #health(now: Instant): Health {
    const next = this.#retryBootMs ?? (this.#child === null ? this.#scheduledBootMs(now) : null);
    return {
      nowMs: now.wallMs,
      nowBootMs: now.bootMs,
      startedAtMs: this.#startedAt.wallMs,
      config: this.#plan.config,
      configLoadedAtMs: this.#configLoadedAtMs,
      configRejected: this.#configRejected,
      record: this.#record,
      expiresBootMs: this.#expiresBootMs(now),
      file: this.#file,
      attempt: this.#attempt,
      lastSuccessAtMs: this.#record && Date.parse(this.#record.issuedAt),
      failuresInARow: this.#failuresInARow,
      failure: this.#failure,
      failingSinceMs: this.#failingSinceMs,
      nextRefreshAtMs: next === null ? null : now.wallMs + next - now.bootMs,
      warnings: this.#warnings,
      answer: this.#link.answer,
      unansweredWhy: this.#link.unansweredWhy(now.bootMs),
      mustLoad: this.#mustLoad(now),
      isStopped: this.#isStopping && this.#child === null,
    };
  }

  #sleepMs(now: Instant): number {
    const { factor, notifier } = this.#options;
    const dues = [
      now.bootMs + Math.min(TICK_MS / factor, (notifier.watchdogMs ?? Number.POSITIVE_INFINITY) / 2),
      this.#link.nextMs(now.bootMs),
      ...(this.#child === null ? [this.#retryBootMs, this.#scheduledBootMs(now)] : []),
    ];
    const next = dues.filter((due) => due !== null).reduce((a, b) => Math.min(a, b));
    return Math.max(next - now.bootMs, 10);
  }

  async #becomeReady(): Promise<void> {
    if (this.#isReady) return;
    this.#isReady = true;
    await this.#options.notifier.send("READY=1");
  }

  async #finish(): Promise<void> {
    const { notifier, log } = this.#options;
    await notifier.send("STOPPING=1", "STATUS=Stopping");
    const child = this.#child;
    if (child !== null) {
      const timer = setTimeout(() => child.kill(), STOP_GRACE_MS);
      await child.outcome;
      clearTimeout(timer);
    }
    this.#files.close();
    await this.#clock.save();
    const now = readClock();
    await this.#look(now);
    await this.#writeStatus(this.#health(now));
    log.info("stopped", { message: "the credentials file stays in place" });
  }
}
