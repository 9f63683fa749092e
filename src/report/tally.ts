/**
 * What is counted since the service started. Counters begin at 0 with each process, as Prometheus expects of them: a
 * value that is lower than the one before is a restart to it, and nothing is lost by that but the current interval.
 */
import type { Status } from "./status.ts";

/** What a reload was for; `unknown`: it was begun before this process was there to see why. */
export const RELOAD_REASONS = ["credentials", "config", "both", "unknown"] as const;
type ReloadReason = (typeof RELOAD_REASONS)[number];

export class Tally {
  issued = 0;
  /** By kind of failure. */
  readonly failed = new Map<string, number>();
  readonly reloads = new Map<ReloadReason, number>();
  restarts = 0;
  /** Reloads that had to wait, each once however long it waited. */
  deferrals = 0;
  configRepairs = 0;
  #lastAnswerAt: string | null = null;
  #lastReload = "";
  /** Of a reload that is under way: the answer that it is done no longer says what for. */
  #pendingFor: readonly string[] = [];

  refreshed(outcome: { result: "issued" } | { result: "failed"; kind: string }): void {
    if (outcome.result === "issued") this.issued += 1;
    else this.failed.set(outcome.kind, (this.failed.get(outcome.kind) ?? 0) + 1);
  }

  /** Counts what root's oneshot has done, by its answers; each counts once, and none from before this process. */
  observe({ agent, started_at }: Status): void {
    const { answered_at: at, reload } = agent;
    if (at === null || at === this.#lastAnswerAt) return;
    const isOurs = Date.parse(at) >= Date.parse(started_at);
    this.#lastAnswerAt = at;
    if (reload === "under_way" && agent.reload_for.length > 0) this.#pendingFor = agent.reload_for;
    if (isOurs) this.#count(agent);
    if (reload === "done" || reload === "not_needed") this.#pendingFor = [];
    this.#lastReload = reload;
  }

  #count({ reload, reload_for, config_match }: Status["agent"]): void {
    if (config_match === "repaired") this.configRepairs += 1;
    if (reload === "restarted") this.restarts += 1;
    if (reload === "deferred" && this.#lastReload !== "deferred") this.deferrals += 1;
    if (reload !== "done") return;
    const reason = reasonOf(reload_for.length > 0 ? reload_for : this.#pendingFor);
    this.reloads.set(reason, (this.reloads.get(reason) ?? 0) + 1);
  }
}

function reasonOf(causes: readonly string[]): ReloadReason {
  if (causes.length > 1) return "both";
  return RELOAD_REASONS.find((reason) => reason === causes[0]) ?? "unknown";
}
