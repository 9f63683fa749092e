/** Tells the journal of changes, each once: what began, what ended, what to do. Repeats are for `debug`. */
import { formatDuration } from "../config/duration.ts";
import type { Log } from "../report/log.ts";
import type { FailureStreak } from "./attempts.ts";
import { type Health, ONESHOT_STEP } from "./health.ts";
import type { RefreshOutcome } from "./refresh-child.ts";

export class Announcer {
  readonly #log: Log;
  /** Topic to what was last said of it. */
  readonly #said = new Map<string, string>();
  /** Kinds of failure told since the last success; an outage may alternate between two. */
  readonly #toldKinds = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param streak the failures that this one adds to, or that this success ends */
  refreshed(outcome: RefreshOutcome, streak: FailureStreak | null, health: Health): void {
    if (outcome.result === "issued") {
      this.#issued(outcome.expiresAt, streak, health);
      for (const { code, message, nextStep } of outcome.warnings) {
        this.#once(`warning:${code}`, message, () => this.#log.warn(code, { message, next_step: nextStep }));
      }
      return;
    }
    const fields = {
      kind: outcome.kind,
      message: outcome.message,
      next_step: outcome.nextStep,
      failures: streak?.count,
      retry_in: streak === null ? undefined : formatDuration(streak.retryBootMs - health.nowBootMs),
    };
    if (this.#toldKinds.has(outcome.kind)) this.#log.debug("refresh_failed", fields);
    else this.#log.warn("refresh_failed", fields);
    this.#toldKinds.add(outcome.kind);
  }

  #issued(expiresAt: string, streak: FailureStreak | null, health: Health): void {
    const { attempt, nextRefreshAtMs, nowMs } = health;
    const fields = {
      expires_at: expiresAt,
      next_refresh_at: nextRefreshAtMs === null ? undefined : new Date(nextRefreshAtMs).toISOString(),
      reason: attempt?.reason,
    };
    if (streak === null) this.#log.info("refresh_succeeded", fields);
    else {
      const after = formatDuration(nowMs - streak.sinceMs);
      this.#log.info("refresh_recovered", { ...fields, after, failures: streak.count });
    }
    this.#toldKinds.clear();
  }

  clockChanged(steppedMs: number, sleptMs: number): void {
    const seconds = (ms: number) => (ms === 0 ? undefined : ms / 1_000);
    this.#log.info("clock_changed", { stepped_s: seconds(steppedMs), slept_s: seconds(sleptMs) });
  }

  scheduleUnknown(why: string): void {
    const message = `the schedule's next times could not be worked out (${why}); half of the session's life is the schedule until they are`;
    this.#once("schedule", why, () =>
      this.#log.warn("schedule_unknown", { message, next_step: "Run: idc-helper check-config" }),
    );
  }

  /** @param error null when it was written */
  statusWritten(file: string, error: string | null): void {
    this.#onceWhile("status", error, (why) => this.#log.warn("status_not_written", { file, why }));
  }

  /** @param error null when it was written */
  metricsWritten(file: string, error: string | null): void {
    this.#onceWhile("metrics", error, (why) =>
      this.#log.warn("metrics_not_written", {
        file,
        why,
        next_step:
          "Its directory must be there and the service must be let write in it: ReadWritePaths= and a group, as in /usr/share/doc/idc-codedeploy-helper/monitoring.md",
      }),
    );
  }

  /** Looks at everything that has a state, and says what changed. */
  observe(health: Health): void {
    this.#expiry(health);
    this.fileState(health);
    this.#agent(health);
  }

  /** After a boot they may have expired long ago: that is worth an error only once they could not be replaced. */
  #expiry({ record, expiresBootMs, nowBootMs, streak, config }: Health): void {
    const isExpired = expiresBootMs !== null && nowBootMs >= expiresBootMs && streak !== null;
    this.#onceWhile("expired", isExpired ? (record?.expiresAt ?? "") : null, () =>
      this.#log.error("credentials_expired", {
        expired_at: record?.expiresAt,
        message: `the agent's credentials in ${config.credentialsFile.path} have expired and could not be replaced: deployments to this host fail`,
        next_step: "See the last refresh_failed above: idc-helper status",
      }),
    );
  }

  fileState({ file, record, config }: Health): void {
    const path = config.credentialsFile.path;
    const isWrong = record !== null && (file === "missing" || file === "foreign");
    this.#onceWhile("file", isWrong ? file : null, () => {
      const how = file === "missing" ? "is gone" : "was written by somebody else";
      this.#log.warn(file === "missing" ? "credentials_file_missing" : "credentials_file_foreign", {
        message: `${path} ${how}; it is written anew`,
        next_step: "If it recurs: is an old cron job still writing it? (crontab -l; ls /etc/cron.d)",
      });
    });
  }

  #agent({ answer, unansweredWhy }: Health): void {
    this.#onceWhile("unanswered", unansweredWhy, (why) =>
      this.#log.warn("agent_sync_unanswered", { message: why, next_step: ONESHOT_STEP }),
    );
    if (answer === null) return;
    const { agent, config, reload } = answer;
    this.#once("agent", agent.state, () => {
      const fields = {
        state: agent.state,
        detail: agent.detail || undefined,
        worker_pid: agent.workerPid ?? undefined,
      };
      if (agent.state === "running") this.#log.info("agent_running", fields);
      else this.#log.warn("agent_not_running", fields);
    });
    if (config.state === "repaired") {
      this.#once("config", `repaired ${answer.at}`, () =>
        this.#log.info("agent_config_mended", { file: config.file, backup: config.backup ?? undefined }),
      );
    } else
      this.#once("config", config.state, () => this.#configState(config.state, config.file, config.detail));
    this.#once(
      "reload",
      `${reload.state} ${reload.causes.join()} ${reload.state === "done" ? answer.at : ""}`,
      () => {
        const fields = {
          for: reload.causes.join(" and ") || undefined,
          why: reload.detail || undefined,
          next_step: reload.nextStep || undefined,
        };
        if (reload.state === "done" || reload.state === "restarted")
          this.#log.info("agent_loaded", { ...fields, worker_pid: agent.workerPid });
        if (reload.state === "deferred") this.#log.info("agent_reload_deferred", fields);
        if (reload.state === "failed" || reload.state === "off")
          this.#log.warn(`agent_reload_${reload.state}`, fields);
      },
    );
  }

  #configState(state: string, file: string, detail: string): void {
    if (state === "matches") this.#log.debug("agent_config_matches", { file });
    else this.#log.warn(`agent_config_${state}`, { file, detail });
  }

  #once(topic: string, what: string, say: () => void): void {
    if (this.#said.get(topic) === what) return;
    this.#said.set(topic, what);
    say();
  }

  #onceWhile(topic: string, what: string | null, say: (what: string) => void): void {
    if (what === null) this.#said.delete(topic);
    else this.#once(topic, what, () => say(what));
  }
}
