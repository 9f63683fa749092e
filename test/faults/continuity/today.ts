/**
 * What people use today, as models on the same hosts: docs/reliability.md says what each is made of. A program that
 * dies is started again as its own keeper (cron, systemd) does it.
 */
import { AGENT_CONFIG } from "./agent.ts";
import type { VirtualHost } from "./host.ts";
import type { Program } from "./program.ts";
import { BOTOCORE, isRepeated, RUBY_SDK, type SdkHabits, SIGNING_HELPER } from "./sdk-habits.ts";
import type { Session } from "./sts.ts";
import type { Timer } from "./virtual-time.ts";

export const FILE = "/etc/codedeploy-agent/credentials/credentials";
const MIN = 60_000;
const HOUR_MS = 3_600_000;
/** aws_signing_helper asks anew when five minutes are left. */
const HELPER_MARGIN_MS = 5 * MIN;
/** systemd's default: the fifth start within ten seconds is the last. */
const START_BURST = 5;
const START_INTERVAL_MS = 10_000;
const RESTART_MS = 100;

/** What a program writes down: a session, or what it takes for one. */
type Written = Pick<Session, "token" | "expiresAt">;
const WORTHLESS: Written = { token: "worthless", expiresAt: Number.POSITIVE_INFINITY };

export type Today = "cron-script" | "get-sts-creds" | "signing-helper" | "restarting-watcher";

abstract class Keeper implements Program {
  protected readonly host: VirtualHost;
  #isUp = false;

  constructor(host: VirtualHost) {
    this.host = host;
    host.disk.makeDirectory(FILE.slice(0, FILE.lastIndexOf("/")));
    host.disk.put(AGENT_CONFIG, `region: ap-northeast-2\naws_credentials_file: ${FILE}\n`);
  }

  boot(agentMayStart: () => void): void {
    this.#isUp = true;
    this.host.time.after(5_000, agentMayStart);
    this.begin();
  }

  lose(): void {
    this.#isUp = false;
    this.end();
  }

  killDaemon(): void {}
  killChild(): void {}
  killOneshot(): void {}
  /** None of them has a config file that changes. */
  editConfig(): void {}
  takeUpConfig(): void {}

  protected get isUp(): boolean {
    return this.#isUp;
  }

  protected abstract begin(): void;
  protected abstract end(): void;

  /** One call, as the SDK makes it: with its own repetitions, and by the host's clock. */
  protected ask(habits: SdkHabits, done: (session: Written | null) => void): void {
    const { sts, time, random } = this.host;
    const attempt = (repetition: number) => {
      if (!this.#isUp) return;
      const failed = (isRepeated: boolean) => {
        if (!isRepeated || repetition + 1 >= habits.attempts) done(null);
        else time.after(habits.delayMs(repetition, random.next()), () => attempt(repetition + 1));
      };
      const latencyMs = sts.latencyMs();
      const isTooLate = latencyMs > habits.readLimitMs;
      time.after(isTooLate ? habits.readLimitMs : latencyMs, () => {
        if (!this.#isUp) return;
        const reply = sts.assumeRole(HOUR_MS, this.host.wallMs);
        if (isTooLate) failed(true);
        else if (reply.kind === "session") done(reply.session);
        else if (reply.kind === "nonsense") done(habits.believes.includes(reply.how) ? WORTHLESS : null);
        else if (reply.kind !== "silence") failed(isRepeated(habits, reply));
        else {
          const limitMs = reply.isConnected ? habits.readLimitMs : habits.connectLimitMs;
          time.after(limitMs, () => this.#isUp && failed(true));
        }
      });
    };
    attempt(0);
  }

  /**
   * As all of them write: truncate, then write. On a full disk the old file's place is there to write the new one in,
   * unless what fills the disk has taken it meanwhile: then an empty file stays.
   */
  protected write({ token }: Written): void {
    const { disk } = this.host;
    const found = disk.find(FILE);
    const content = `[default]\naws_session_token = ${token}\n`;
    if (!disk.isFull || (found !== undefined && !disk.isFilling)) disk.put(FILE, content);
    // ENOSPC: the program dies of it.
    else disk.put(FILE, "");
  }
}

/** A line of a crontab: at its minutes of the wall clock, and at no other time. */
class Cron extends Keeper {
  readonly #everyMs: number;
  readonly #habits: SdkHabits;
  #timer: Timer | null = null;
  #lastRun = Number.NEGATIVE_INFINITY;

  constructor(host: VirtualHost, everyMs: number, habits: SdkHabits) {
    super(host);
    this.#everyMs = everyMs;
    this.#habits = habits;
  }

  protected override begin(): void {
    this.#wakeNextMinute();
  }

  protected override end(): void {
    this.#timer?.cancel();
  }

  /** As crond does: it wakes each minute, and looks what that minute has. */
  #wakeNextMinute(): void {
    const { host } = this;
    this.#timer = host.time.after(MIN - (host.wallMs % MIN), () => {
      const minute = Math.floor(host.wallMs / MIN);
      if (minute % (this.#everyMs / MIN) === 0 && minute !== this.#lastRun) {
        this.#lastRun = minute;
        this.ask(this.#habits, (session) => {
          if (session !== null) this.write(session);
        });
      }
      this.#wakeNextMinute();
    });
  }
}

/** `aws_signing_helper update` as a service with Restart=always: it ends at the first call that fails. */
class SigningHelper extends Keeper {
  #timer: Timer | null = null;
  #starts: number[] = [];

  protected override begin(): void {
    this.#starts = [];
    this.#start();
  }

  protected override end(): void {
    this.#timer?.cancel();
  }

  override killDaemon(): void {
    if (!this.isUp) return;
    this.#timer?.cancel();
    this.#restart();
  }

  #start(): void {
    const { time } = this.host;
    this.#starts = [...this.#starts.filter((at) => time.awake - at < START_INTERVAL_MS), time.awake];
    this.#refresh();
  }

  #refresh(): void {
    const { time, host } = { time: this.host.time, host: this.host };
    this.ask(SIGNING_HELPER, (session) => {
      if (session === null) {
        this.#restart();
        return;
      }
      this.write(session);
      // Until so long before the expiry, by the wall clock.
      this.#timer = time.after(session.expiresAt - HELPER_MARGIN_MS - host.wallMs, () => this.#refresh());
    });
  }

  #restart(): void {
    const { time } = this.host;
    const recent = this.#starts.filter((at) => time.awake - at < START_INTERVAL_MS);
    // "Start request repeated too quickly": systemd gives it up until somebody resets it, or the next boot.
    if (recent.length >= START_BURST) return;
    this.#timer = time.after(RESTART_MS, () => this.#start());
  }
}

/** The script from cron, and something that restarts the agent whenever the file was written (upstream issue 354). */
class RestartingWatcher extends Cron {
  protected override write(session: Written): void {
    super.write(session);
    const { agent } = this.host;
    if (agent.state === "running") this.host.restartAgent();
  }
}

export function makeToday(which: Today, host: VirtualHost): Program {
  switch (which) {
    case "cron-script":
      return new Cron(host, 30 * MIN, BOTOCORE);
    case "get-sts-creds":
      return new Cron(host, 15 * MIN, RUBY_SDK);
    case "signing-helper":
      return new SigningHelper(host);
    case "restarting-watcher":
      return new RestartingWatcher(host, 30 * MIN, BOTOCORE);
  }
}
