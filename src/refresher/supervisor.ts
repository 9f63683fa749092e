/**
 * The loop of `run`: looks at clock, files and answers, decides, starts a refresh child, asks for a sync, reports,
 * and sleeps until something is due.
 *
 * It never loads the AWS SDK and never holds a credential: it knows the file by its hash.
 */
import { desiredConfig, digestOf } from "../agent/desired-config.ts";
import type { Config } from "../config/config.ts";
import { agentRuntimeFiles, runtimeFiles, stateFiles } from "../config/paths.ts";
import { errorText } from "../failure.ts";
import { type Instant, readBootId, readClock } from "../host/clock.ts";
import type { Notifier } from "../host/notify.ts";
import type { Log } from "../report/log.ts";
import { MetricsFile } from "../report/metrics-file.ts";
import { type Status, StatusWriter } from "../report/status.ts";
import { AgentLink } from "./agent-link.ts";
import { Alarm } from "./alarm.ts";
import { Announcer } from "./announcer.ts";
import { Attempts } from "./attempts.ts";
import { ClockWatch } from "./clock-watch.ts";
import { ConfigKeeper } from "./config-keeper.ts";
import { CredentialsWatch } from "./credentials-watch.ts";
import { type Health, statusLine, statusOf } from "./health.ts";
import { type MustLoad, mustLoadSince } from "./pickup.ts";
import { type Plan, planOn } from "./plan.ts";
import { type RefreshOutcome, startRefresh } from "./refresh-child.ts";
import { decideRefresh, type RefreshDecision, type RefreshReason } from "./refresh-policy.ts";
import { ScheduleKeeper } from "./schedule-keeper.ts";
import { giveBackMemory } from "./spare-memory.ts";
import { WatchedFiles } from "./watched-files.ts";

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
  readonly #bootId = readBootId();
  readonly #startedAtMs = Date.now();
  readonly #alarm = new Alarm();
  readonly #announcer: Announcer;
  readonly #keeper: ConfigKeeper;
  readonly #clock: ClockWatch;
  readonly #link: AgentLink;
  readonly #credentials: CredentialsWatch;
  readonly #attempts: Attempts;
  readonly #schedule: ScheduleKeeper;
  readonly #status = new StatusWriter();
  readonly #metrics = new MetricsFile((file, error) => this.#announcer.metricsWritten(file, error));
  #files: WatchedFiles;
  /** What was taken for granted must be looked at again: a start, a jump of the clock, a wake-up. */
  #isUnsettled = true;
  #isAsked = false;
  /** Something happened that the agent's side should be looked at for. */
  #hasNews = true;
  /** The end of the refresh under way, with all that follows from it. */
  #ending: Promise<void> = Promise.resolve();
  #isReady = false;
  /** A refresh has left garbage behind. */
  #isUntidy = false;
  #isStopping = false;

  private constructor(options: SupervisorOptions, clock: ClockWatch) {
    const { plan, factor, log, env } = options;
    this.#options = options;
    this.#keeper = new ConfigKeeper(plan.config, log, env);
    this.#clock = clock;
    this.#announcer = new Announcer(log);
    this.#link = new AgentLink({ paths: plan.config.paths, bootId: this.#bootId, factor });
    this.#credentials = new CredentialsWatch(plan.config, this.#bootId);
    this.#attempts = new Attempts(factor);
    this.#schedule = new ScheduleKeeper(plan.refreshes, this.#startedAtMs, {
      onPlanned: () => this.#alarm.ring(),
      onError: (error) => this.#announcer.scheduleUnknown(errorText(error)),
    });
    this.#files = this.#watch(plan.config);
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
      if (this.#attempts.child === null) await this.#refreshIfDue(now);
      await this.#askAgent(now);
      await this.#report(now);
      await this.#options.notifier.send("WATCHDOG=1");
      this.#tidyUp();
      await this.#alarm.sleep(this.#dueMs(readClock()), this.#tickMs);
    }
    clearTimeout(unready);
    await this.#finish();
  }

  /** Once all that follows from a refresh is done. */
  #tidyUp(): void {
    if (!this.#isUntidy || this.#attempts.child !== null) return;
    this.#isUntidy = false;
    giveBackMemory();
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

  /** SIGHUP: the config is read anew. */
  async reload(): Promise<void> {
    const { notifier } = this.#options;
    // CLOCK_MONOTONIC, as Type=notify-reload wants it (sd_notify(3)); hrtime reads that very clock.
    await notifier.send("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`);
    const reloaded = await this.#keeper.reload();
    if (reloaded !== null) this.#schedule.replace(reloaded.plan.refreshes, Date.now());
    if (reloaded?.isOther) {
      this.#files.close();
      this.#files = this.#watch(this.#config);
      this.#credentials.configure(this.#config);
      // Another role, serial or file: what is there was issued under the old config.
      this.#isAsked = true;
      this.#hasNews = true;
    }
    await notifier.send("READY=1");
    this.#alarm.ring();
  }

  get #config(): Config {
    return this.#keeper.config;
  }

  #watch({ credentialsFile, paths, baseCredentials }: Config): WatchedFiles {
    const watched = [credentialsFile.path, agentRuntimeFiles(paths).answer, baseCredentials.file];
    return new WatchedFiles(watched, () => this.#alarm.ring());
  }

  async #look(now: Instant): Promise<void> {
    const { steppedMs, sleptMs } = await this.#clock.observe(now);
    if (steppedMs !== 0 || sleptMs !== 0) {
      this.#announcer.clockChanged(steppedMs, sleptMs);
      this.#isUnsettled = true;
      this.#hasNews = true;
    }
    if (steppedMs !== 0) await this.#planAhead(now);
    // While a refresh is under way, file and record are being replaced.
    if (this.#attempts.child === null) await this.#credentials.look();
    if (this.#credentials.haveBaseCredentialsChanged() && this.#attempts.streak !== null)
      this.#isAsked = true;
    await this.#link.readAnswer();
  }

  async #refreshIfDue(now: Instant): Promise<void> {
    if (this.#schedule.nextBootMs(now) === null) void this.#planAhead(now);
    const decision = this.#decide(now);
    this.#isUnsettled = false;
    if (decision.refresh === null) await this.#becomeReady();
    else this.#startRefresh(decision.refresh, now);
  }

  #decide(now: Instant): RefreshDecision {
    return decideRefresh({
      nowBootMs: now.bootMs,
      file: this.#credentials.file,
      halfLifeBootMs: this.#credentials.halfLifeBootMs(now),
      expiresBootMs: this.#credentials.expiresBootMs(now),
      scheduledBootMs: this.#schedule.nextBootMs(now),
      retryBootMs: this.#attempts.streak?.retryBootMs ?? null,
      isUnsettled: this.#isUnsettled,
      isAsked: this.#isAsked,
      marginMs: MARGIN_MS / this.#options.factor,
    });
  }

  /** When the next refresh starts; null while one is under way, or nothing says when. */
  #nextRefreshBootMs(now: Instant): number | null {
    if (this.#attempts.child !== null) return null;
    const decision = this.#decide(now);
    if (decision.refresh !== null) return now.bootMs;
    return Number.isFinite(decision.untilBootMs) ? decision.untilBootMs : null;
  }

  #startRefresh(reason: RefreshReason, now: Instant): void {
    const { factor, env } = this.#options;
    this.#announcer.fileState(this.#health(now));
    this.#isAsked = false;
    this.#schedule.dealtWith(now.wallMs);
    this.#isUntidy = true;
    const child = startRefresh(this.#config, factor, env);
    this.#attempts.begin(child, reason, now);
    this.#ending = child.outcome
      .then((outcome) => this.#refreshEnded(outcome))
      .finally(() => this.#alarm.ring());
  }

  async #refreshEnded(outcome: RefreshOutcome): Promise<void> {
    // Before the attempt counts as ended: else the loop, woken by the new file, would decide on the old look.
    await this.#credentials.look();
    const now = readClock();
    const streak = this.#attempts.end(outcome, now, this.#credentials.expiresBootMs(now));
    if (outcome.result === "issued") this.#hasNews = true;
    this.#metrics.refreshed(outcome);
    this.#announcer.refreshed(outcome, streak, this.#health(now));
    if (outcome.result === "issued") await this.#clock.save();
    await this.#becomeReady();
  }

  async #askAgent(now: Instant): Promise<void> {
    // Before there are credentials, a worker that starts anew would only die for want of them (FACTS).
    if (!this.#canAsk) return;
    await this.#link.ask({
      mustLoad: this.#mustLoad(now),
      isNews: this.#hasNews,
      inForce: digestOf(desiredConfig(this.#config)),
      nowMs: now.bootMs,
    });
    this.#hasNews = false;
  }

  get #canAsk(): boolean {
    const { record, file } = this.#credentials;
    return this.#attempts.child === null && record !== null && file !== "missing";
  }

  #mustLoad(now: Instant): MustLoad | null {
    const { record } = this.#credentials;
    return mustLoadSince({
      nowBootMs: now.bootMs,
      pickupWindowMs: this.#link.pickupWindowMs,
      writes: record?.bootId === this.#bootId ? record.writes : [],
      stepsBack: this.#clock.stepsBack,
      currentExpiresBootMs: this.#credentials.expiresBootMs(now),
      workerStartedBootMs: this.#link.workerStartedBootMs,
    });
  }

  async #planAhead({ wallMs }: Instant): Promise<void> {
    await this.#schedule.plan(wallMs, () => planOn(this.#config, this.#options.env));
  }

  async #report(now: Instant): Promise<void> {
    const health = this.#health(now);
    this.#announcer.observe(health);
    const status = statusOf(health);
    await this.#writeStatus(status);
    this.#metrics.report(this.#config.metrics.textfile, status);
    await this.#options.notifier.send(`STATUS=${statusLine(health)}`);
  }

  async #writeStatus(status: Status): Promise<void> {
    const file = runtimeFiles(this.#config.paths).status;
    const error = await this.#status.write(file, status).then(
      () => null,
      (thrown: unknown) => errorText(thrown),
    );
    this.#announcer.statusWritten(file, error);
  }

  #health(now: Instant): Health {
    const { streak, child, last, warnings } = this.#attempts;
    const nextBootMs = this.#nextRefreshBootMs(now);
    return {
      nowMs: now.wallMs,
      nowBootMs: now.bootMs,
      startedAtMs: this.#startedAtMs,
      config: this.#config,
      configLoadedAtMs: this.#keeper.loadedAtMs,
      configRejected: this.#keeper.rejected,
      record: this.#credentials.record,
      expiresBootMs: this.#credentials.expiresBootMs(now),
      file: this.#credentials.file,
      attempt: last,
      streak,
      nextRefreshAtMs: nextBootMs === null ? null : now.wallMs + nextBootMs - now.bootMs,
      warnings,
      answer: this.#link.answer,
      unansweredWhy: this.#link.unansweredWhy(now.bootMs),
      mustLoad: this.#mustLoad(now),
      isStopped: this.#isStopping && child === null,
    };
  }

  #dueMs(now: Instant): number {
    const mustLoad = this.#mustLoad(now);
    const asks = this.#canAsk ? this.#link.nextMs(mustLoad, now.bootMs) : Number.POSITIVE_INFINITY;
    const due = Math.min(asks, this.#nextRefreshBootMs(now) ?? Number.POSITIVE_INFINITY);
    return Math.max(due - now.bootMs, 10);
  }

  get #tickMs(): number {
    const { factor, notifier } = this.#options;
    return Math.min(TICK_MS / factor, (notifier.watchdogMs ?? Number.POSITIVE_INFINITY) / 2);
  }

  async #becomeReady(): Promise<void> {
    if (this.#isReady) return;
    this.#isReady = true;
    await this.#options.notifier.send("READY=1");
  }

  async #finish(): Promise<void> {
    const { notifier, log } = this.#options;
    await notifier.send("STOPPING=1", "STATUS=Stopping");
    const { child } = this.#attempts;
    if (child !== null) {
      const timer = setTimeout(() => child.kill(), STOP_GRACE_MS);
      await this.#ending;
      clearTimeout(timer);
    }
    this.#files.close();
    await this.#clock.save();
    const status = statusOf(this.#health(readClock()));
    await this.#writeStatus(status);
    await this.#metrics.finish(this.#config.metrics.textfile, status);
    log.info("stopped", { message: "the credentials file stays in place" });
  }
}
