/**
 * The loop of `run`: looks at clock, files and answers, refreshes when that is due, asks for a sync, reports, and sleeps
 * until something is due.
 *
 * It never loads the AWS SDK and never holds a credential: it knows the file by its hash.
 */
import { desiredConfig, digestOf } from "../agent/desired-config.ts";
import type { Config } from "../config/config.ts";
import { agentRuntimeFiles, stateFiles } from "../config/paths.ts";
import { type Instant, readBootId, readClock } from "../host/clock.ts";
import type { Notifier } from "../host/notify.ts";
import type { Log } from "../report/log.ts";
import { AgentLink } from "./agent-link.ts";
import { Alarm } from "./alarm.ts";
import { Announcer } from "./announcer.ts";
import type { FailureStreak } from "./attempts.ts";
import { ClockWatch } from "./clock-watch.ts";
import { ConfigKeeper } from "./config-keeper.ts";
import { CredentialsWatch } from "./credentials-watch.ts";
import type { Health } from "./health.ts";
import type { Plan } from "./plan.ts";
import type { RefreshOutcome } from "./refresh-child.ts";
import { Refreshes } from "./refreshes.ts";
import { Reporter } from "./reporter.ts";
import { WatchedFiles } from "./watched-files.ts";

/** Two wake-ups a minute at rest: soon enough to notice a step of the clock, rare enough to be no load. */
const TICK_MS = 30_000;
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
  readonly #reporter: Reporter;
  readonly #keeper: ConfigKeeper;
  readonly #clock: ClockWatch;
  readonly #link: AgentLink;
  readonly #credentials: CredentialsWatch;
  readonly #refreshes: Refreshes;
  #files: WatchedFiles;
  #isReady = false;
  #isStopping = false;

  private constructor(options: SupervisorOptions, clock: ClockWatch) {
    const { plan, factor, log, notifier, env } = options;
    this.#options = options;
    this.#keeper = new ConfigKeeper(plan.config, log, env);
    this.#clock = clock;
    this.#announcer = new Announcer(log);
    this.#reporter = new Reporter(this.#announcer, notifier);
    this.#credentials = new CredentialsWatch(plan.config, this.#bootId);
    this.#link = new AgentLink({
      paths: plan.config.paths,
      bootId: this.#bootId,
      factor,
      credentials: this.#credentials,
      clock,
    });
    this.#refreshes = new Refreshes({
      refreshes: plan.refreshes,
      startedAtMs: this.#startedAtMs,
      config: () => this.#config,
      credentials: this.#credentials,
      announcer: this.#announcer,
      factor,
      env,
      events: {
        begins: (now) => this.#announcer.fileState(this.#health(now)),
        ended: (outcome, streak, now) => this.#refreshEnded(outcome, streak, now),
        changed: () => this.#alarm.ring(),
      },
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
      if (!this.#refreshes.isUnderWay && this.#refreshes.startIfDue(now)) await this.#becomeReady();
      // What is to be loaded is known when a refresh is over.
      if (!this.#refreshes.isUnderWay) await this.#link.ask(now, digestOf(desiredConfig(this.#config)));
      await this.#reporter.report(this.#health(now));
      await this.#options.notifier.send("WATCHDOG=1");
      this.#refreshes.tidyUp();
      await this.#alarm.sleep(this.#dueMs(readClock()), this.#tickMs);
    }
    clearTimeout(unready);
    await this.#finish();
  }

  /** An operator wants new credentials now. */
  askRefresh(): void {
    this.#refreshes.ask();
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
    if (reloaded !== null) this.#refreshes.replaceSchedule(reloaded.plan.refreshes);
    if (reloaded?.isOther) {
      this.#files.close();
      this.#files = this.#watch(this.#config);
      this.#credentials.configure(this.#config);
      // Another role, serial or file: what is there was issued under the old config.
      this.#refreshes.ask();
      this.#link.noteNews();
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
      this.#refreshes.unsettle();
      this.#link.noteNews();
    }
    if (steppedMs !== 0) await this.#refreshes.planAhead(now);
    // While a refresh is under way, file and record are being replaced.
    if (!this.#refreshes.isUnderWay) await this.#credentials.look();
    if (this.#credentials.haveBaseCredentialsChanged() && this.#refreshes.attempts.streak !== null)
      this.#refreshes.ask();
    await this.#link.readAnswer();
  }

  async #refreshEnded(outcome: RefreshOutcome, streak: FailureStreak | null, now: Instant): Promise<void> {
    const isIssued = outcome.result === "issued";
    if (isIssued) this.#link.noteNews();
    this.#reporter.refreshed(outcome, streak, this.#health(now));
    if (isIssued) await this.#clock.save();
    await this.#becomeReady();
  }

  #health(now: Instant): Health {
    const { streak, child, last, warnings } = this.#refreshes.attempts;
    const nextBootMs = this.#refreshes.nextBootMs(now);
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
      mustLoad: this.#link.mustLoad(now),
      isStopped: this.#isStopping && child === null,
    };
  }

  #dueMs(now: Instant): number {
    const asks = this.#refreshes.isUnderWay ? Number.POSITIVE_INFINITY : this.#link.nextBootMs(now);
    const due = Math.min(asks, this.#refreshes.nextBootMs(now) ?? Number.POSITIVE_INFINITY);
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
    await this.#refreshes.finish(STOP_GRACE_MS);
    this.#files.close();
    await this.#clock.save();
    await this.#reporter.finish(this.#health(readClock()));
    log.info("stopped", { message: "the credentials file stays in place" });
  }
}
