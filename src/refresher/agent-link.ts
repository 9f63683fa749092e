/**
 * The side of `run` in the exchange with the root oneshot: asks, asks again until answered, and asks anew while
 * something is still to be done.
 */
import { randomUUID } from "node:crypto";
import { type BootInstant, readAnswer, type SyncAnswer, sendRequest } from "../agent/exchange.ts";
import type { Paths } from "../config/config.ts";
import { errorCode, errorText } from "../failure.ts";
import type { Instant } from "../host/clock.ts";
import type { ClockWatch } from "./clock-watch.ts";
import type { CredentialsWatch } from "./credentials-watch.ts";
import { type MustLoad, mustLoadSince } from "./pickup.ts";

/** The pickup window of the agent as shipped (FACTS), until the oneshot has told the real one. */
const SHIPPED_PICKUP_WINDOW_MS = 1_680_000;

const REPEAT_MS = 10_000;
const REPEAT_LATER_MS = 60_000;
/** A deferred or failed reload is asked for again after this. */
const ASK_ANEW_MS = 60_000;
/** A worker on its way out is looked after sooner. */
const LOOK_AGAIN_MS = 20_000;
const UNANSWERED_AFTER_MS = 120_000;

interface OpenRequest {
  id: string;
  credentialsSince: BootInstant | null;
  inForce: string;
  firstSentMs: number;
  lastSentMs: number;
}

export interface AgentLinkOptions {
  paths: Paths;
  bootId: string;
  factor: number;
  credentials: CredentialsWatch;
  clock: ClockWatch;
}

export class AgentLink {
  readonly #options: AgentLinkOptions;
  #open: OpenRequest | null = null;
  #sendError: string | null = null;
  #answer: SyncAnswer | null = null;
  #hasNews = true;

  constructor(options: AgentLinkOptions) {
    this.#options = options;
  }

  /** The last answer of this boot, whoever asked; null before there is one. */
  get answer(): SyncAnswer | null {
    return this.#answer;
  }

  /** Something happened that the agent's side should be looked at for. */
  noteNews(): void {
    this.#hasNews = true;
  }

  /** What the agent must have loaded; null when it may take its time. */
  mustLoad(now: Instant): MustLoad | null {
    const { bootId, factor, credentials, clock } = this.#options;
    const { record } = credentials;
    return mustLoadSince({
      nowBootMs: now.bootMs,
      pickupWindowMs: (this.#answer?.pickupWindowMs ?? SHIPPED_PICKUP_WINDOW_MS) / factor,
      writes: record?.bootId === bootId ? record.writes : [],
      stepsBack: clock.stepsBack,
      currentExpiresBootMs: credentials.expiresBootMs(now),
      workerStartedBootMs: this.#answer?.agent.workerStartedBootMs ?? null,
    });
  }

  /** Why there is no answer, once that has lasted; null while all is well. */
  unansweredWhy(nowMs: number): string | null {
    if (this.#open === null) return null;
    if (this.#sendError !== null) return this.#sendError;
    const waited = nowMs - this.#open.firstSentMs;
    return waited >= UNANSWERED_AFTER_MS / this.#options.factor ? "the root oneshot does not answer" : null;
  }

  async readAnswer(): Promise<void> {
    const answer = await readAnswer(this.#options.paths);
    if (answer?.bootId !== this.#options.bootId) return;
    this.#answer = answer;
    if (answer.id === this.#open?.id) this.#open = null;
  }

  /**
   * Sends what is due: a new question, or the open one once more.
   *
   * @param inForce digest of the agent's config as it follows from the configuration in force
   */
  async ask(now: Instant, inForce: string): Promise<void> {
    if (!this.#canAsk) return;
    const nowMs = now.bootMs;
    const mustLoad = this.mustLoad(now);
    const since = mustLoad === null ? null : { bootId: this.#options.bootId, bootMs: mustLoad.sinceBootMs };
    const isChanged = this.#open !== null && this.#open.credentialsSince?.bootMs !== since?.bootMs;
    if (this.#hasNews || isChanged || (this.#open === null && nowMs >= this.#asksAnewAtMs(mustLoad))) {
      this.#open = {
        id: randomUUID(),
        credentialsSince: since,
        inForce,
        firstSentMs: this.#open?.firstSentMs ?? nowMs,
        lastSentMs: nowMs,
      };
      await this.#send(this.#open);
    } else if (this.#open !== null && nowMs - this.#open.lastSentMs >= this.#repeatMs(this.#open, nowMs)) {
      this.#open.lastSentMs = nowMs;
      await this.#send(this.#open);
    }
    this.#hasNews = false;
  }

  /** When to call {@link ask} again at the latest, in milliseconds of CLOCK_BOOTTIME. */
  nextBootMs(now: Instant): number {
    if (!this.#canAsk) return Number.POSITIVE_INFINITY;
    if (this.#open !== null) return this.#open.lastSentMs + this.#repeatMs(this.#open, now.bootMs);
    return this.#asksAnewAtMs(this.mustLoad(now));
  }

  /** Before there are credentials, a worker that starts anew would only die for want of them (FACTS). */
  get #canAsk(): boolean {
    const { record, file } = this.#options.credentials;
    return record !== null && file !== "missing";
  }

  /** While something is still to be done, or was not loaded that must be. */
  #asksAnewAtMs(mustLoad: MustLoad | null): number {
    const answer = this.#answer;
    if (answer === null) return Number.POSITIVE_INFINITY;
    const isUnfinished = wantsAnother(answer) || (mustLoad !== null && answer.agent.state === "running");
    return isUnfinished ? answer.bootMs + this.#askAnewMs(answer) : Number.POSITIVE_INFINITY;
  }

  #askAnewMs({ reload }: SyncAnswer): number {
    return (reload.state === "under_way" ? LOOK_AGAIN_MS : ASK_ANEW_MS) / this.#options.factor;
  }

  #repeatMs({ firstSentMs }: OpenRequest, nowMs: number): number {
    const { factor } = this.#options;
    return (nowMs - firstSentMs < UNANSWERED_AFTER_MS / factor ? REPEAT_MS : REPEAT_LATER_MS) / factor;
  }

  async #send({ id, credentialsSince, inForce }: OpenRequest): Promise<void> {
    try {
      await sendRequest(this.#options.paths, { id, credentialsSince, inForce });
      this.#sendError = null;
    } catch (error) {
      this.#sendError = `the request cannot be left for the root oneshot (${errorCode(error) ?? errorText(error)})`;
    }
  }
}

function wantsAnother({ reload, agent }: SyncAnswer): boolean {
  return (
    reload.state === "deferred" ||
    reload.state === "failed" ||
    reload.state === "under_way" ||
    (agent.state === "running" && agent.workerPid === null) ||
    agent.state === "starting" ||
    agent.state === "stopping"
  );
}
