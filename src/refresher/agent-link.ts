/**
 * The side of `run` in the exchange with the root oneshot: asks, asks again until answered, and asks anew while
 * something is still to be done.
 */
import { randomUUID } from "node:crypto";
import { type BootInstant, readAnswer, type SyncAnswer, sendRequest } from "../agent/exchange.ts";
import type { Paths } from "../config/config.ts";
import { errorCode, errorText } from "../failure.ts";
import type { MustLoad } from "./pickup.ts";

/** The pickup window of the agent as shipped (FACTS), until the oneshot has told the real one. */
const SHIPPED_PICKUP_WINDOW_MS = 1_680_000;

const REPEAT_MS = 10_000;
const REPEAT_LATER_MS = 60_000;
/** A deferred or failed reload is asked for again after this. */
const ASK_ANEW_MS = 60_000;
/** A worker on its way out is looked after sooner. */
const LOOK_AGAIN_MS = 20_000;
const UNANSWERED_AFTER_MS = 120_000;

export interface Question {
  /** What the agent must have loaded; null when it may take its time. */
  mustLoad: MustLoad | null;
  /** Whether something happened that the agent's side should be looked at for. */
  isNews: boolean;
  /** Digest of the agent's config as it follows from the configuration in force. */
  inForce: string;
  /** CLOCK_BOOTTIME, in milliseconds. */
  nowMs: number;
}

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
}

export class AgentLink {
  readonly #options: AgentLinkOptions;
  #open: OpenRequest | null = null;
  #sendError: string | null = null;
  #answer: SyncAnswer | null = null;

  constructor(options: AgentLinkOptions) {
    this.#options = options;
  }

  /** The last answer of this boot, whoever asked; null before there is one. */
  get answer(): SyncAnswer | null {
    return this.#answer;
  }

  get pickupWindowMs(): number {
    return (this.#answer?.pickupWindowMs ?? SHIPPED_PICKUP_WINDOW_MS) / this.#options.factor;
  }

  get workerStartedBootMs(): number | null {
    return this.#answer?.agent.workerStartedBootMs ?? null;
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

  /** Sends what is due: a new question, or the open one once more. */
  async ask({ mustLoad, isNews, inForce, nowMs }: Question): Promise<void> {
    const since = mustLoad === null ? null : { bootId: this.#options.bootId, bootMs: mustLoad.sinceBootMs };
    const isChanged = this.#open !== null && this.#open.credentialsSince?.bootMs !== since?.bootMs;
    if (isNews || isChanged || (this.#open === null && nowMs >= this.#asksAnewAtMs(mustLoad))) {
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
  }

  /** When to call {@link ask} again at the latest, in milliseconds on the same clock. */
  nextMs(mustLoad: MustLoad | null, nowMs: number): number {
    if (this.#open !== null) return this.#open.lastSentMs + this.#repeatMs(this.#open, nowMs);
    return this.#asksAnewAtMs(mustLoad);
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
