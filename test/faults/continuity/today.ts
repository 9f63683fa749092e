/**
 * What people use today, as models on the same hosts: docs/reliability.md says what each is made of. A program that
 * dies is started again as its own keeper (cron, systemd) does it.
 */
import { AGENT_CONFIG } from "./agent.ts";
import type { VirtualHost } from "./host.ts";
import type { Program } from "./program.ts";
import type { Session } from "./sts.ts";
import type { Timer } from "./virtual-time.ts";

export const FILE = "/etc/codedeploy-agent/credentials/credentials";
const MIN = 60_000;
const HOUR_MS = 3_600_000;
/** The SDKs' own retries included: what is not answered by then has failed. */
const CALL_LIMIT_MS = 20_000;
/** aws_signing_helper asks anew when five minutes are left. */
const HELPER_MARGIN_MS = 5 * MIN;
/** systemd's default: the fifth start within ten seconds is the last. */
const START_BURST = 5;
const START_INTERVAL_MS = 10_000;
const RESTART_MS = 100;

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

  protected get isUp(): boolean {
    return this.#isUp;
  }

  protected abstract begin(): void;
  protected abstract end(): void;

  /** One call, with the clock as it is: botocore corrects no skew, and the Ruby SDK does. */
  protected ask({ correctsSkew }: { correctsSkew: boolean }, done: (session: Session | null) => void): void {
    const { host } = this;
    const { sts, time } = host;
    const latency = sts.latencyMs();
    time.after(latency, () => {
      if (!this.#isUp) return;
      const reply = sts.assumeRole((HOUR_MS / 1_000) * 1_000, correctsSkew ? time.now : host.wallMs);
      if (reply.kind === "session") done(reply.session);
      else if (reply.kind === "silence") time.after(CALL_LIMIT_MS, () => this.#isUp && done(null));
      else done(null);
    });
  }

  /** As all of them write: truncate, then write. On a full disk nothing is left of the old file. */
  protected write({ token }: Session): void {
    const { disk } = this.host;
    const file = disk.find(FILE) ?? disk.create(FILE, 0o600);
    const content = Buffer.from(`[default]\naws_session_token = ${token}\n`);
    file.content = Buffer.alloc(0);
    try {
      disk.write(FILE, file, content);
    } catch {
      // ENOSPC: the program dies of it, and an empty file stays.
    }
  }
}

/** A line of a crontab: at its minutes of the wall clock, and at no other time. */
class Cron extends Keeper {
  readonly #everyMs: number;
  readonly #correctsSkew: boolean;
  #timer: Timer | null = null;
  #lastRun = Number.NEGATIVE_INFINITY;

  constructor(host: VirtualHost, everyMs: number, correctsSkew: boolean) {
    super(host);
    this.#everyMs = everyMs;
    this.#correctsSkew = correctsSkew;
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
        this.ask({ correctsSkew: this.#correctsSkew }, (session) => {
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
    this.ask({ correctsSkew: false }, (session) => {
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
  protected override write(session: Session): void {
    super.write(session);
    const { agent } = this.host;
    if (agent.state === "running") this.host.restartAgent();
  }
}

export function makeToday(which: Today, host: VirtualHost): Program {
  switch (which) {
    case "cron-script":
      return new Cron(host, 30 * MIN, false);
    case "get-sts-creds":
      return new Cron(host, 15 * MIN, true);
    case "signing-helper":
      return new SigningHelper(host);
    case "restarting-watcher":
      return new RestartingWatcher(host, 30 * MIN, false);
  }
}
