/** Tells how things stand: the journal, the status file, the metrics' file, and systemd's line for `systemctl status`. */
import { runtimeFiles } from "../config/paths.ts";
import { errorText } from "../failure.ts";
import type { Notifier } from "../host/notify.ts";
import { MetricsFile } from "../report/metrics-file.ts";
import { type Status, StatusWriter } from "../report/status.ts";
import type { Announcer } from "./announcer.ts";
import type { FailureStreak } from "./attempts.ts";
import { type Health, statusLine, statusOf } from "./health.ts";
import type { RefreshOutcome } from "./refresh-child.ts";

export class Reporter {
  readonly #announcer: Announcer;
  readonly #notifier: Notifier;
  readonly #status = new StatusWriter();
  readonly #metrics: MetricsFile;

  constructor(announcer: Announcer, notifier: Notifier) {
    this.#announcer = announcer;
    this.#notifier = notifier;
    this.#metrics = new MetricsFile((file, error) => announcer.metricsWritten(file, error));
  }

  refreshed(outcome: RefreshOutcome, streak: FailureStreak | null, health: Health): void {
    this.#metrics.refreshed(outcome);
    this.#announcer.refreshed(outcome, streak, health);
  }

  async report(health: Health): Promise<void> {
    this.#announcer.observe(health);
    const status = await this.#writeStatus(health);
    this.#metrics.report(health.config.metrics.textfile, status);
    await this.#notifier.send(`STATUS=${statusLine(health)}`);
  }

  /** The last word. */
  async finish(health: Health): Promise<void> {
    const status = await this.#writeStatus(health);
    await this.#metrics.finish(health.config.metrics.textfile, status);
  }

  async #writeStatus(health: Health): Promise<Status> {
    const status = statusOf(health);
    const file = runtimeFiles(health.config.paths).status;
    const error = await this.#status.write(file, status).then(
      () => null,
      (thrown: unknown) => errorText(thrown),
    );
    this.#announcer.statusWritten(file, error);
    return status;
  }
}
