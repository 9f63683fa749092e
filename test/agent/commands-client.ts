/**
 * The agent's client of the CodeDeploy command service: JSON 1.1, signed anew for each attempt.
 *
 * It retries as the SDK for Ruby does in its default (legacy) mode: three times, after 0.3, 0.6 and 1.2 s. When the
 * service refuses the credentials as expired or unknown, it reads them again before it retries (`retry_errors.rb`).
 */
import { setTimeout as pause } from "node:timers/promises";
import type { AgentCredentials } from "./agent-credentials.ts";
import type { HeldCredentials } from "./credential-holder.ts";
import type { Pace } from "./pace.ts";
import { signedHeaders } from "./request-signing.ts";
import { failureOf, ServiceFailure } from "./service-failure.ts";

/** From the two service models vendored with the agent; `:enable_auth_policy:` chooses (FACTS). */
const PLAIN = { prefix: "CodeDeployCommandService_v20141006", service: "codedeploy-commands" };
const SECURE = { prefix: "CodeDeployCommandService", service: "codedeploy-commands-secure" };
const RETRY_LIMIT = 3;
const RETRY_BASE_SECONDS = 0.3;
/** The network does not live faster with us: however high the time factor, an answer gets this long. */
const SHORTEST_CUT_MS = 500;

export type CommandOperation =
  | "PollHostCommand"
  | "GetDeploymentSpecification"
  | "PutHostCommandAcknowledgement"
  | "PutHostCommandComplete";

/** Told of each attempt; the trace of the polls is made from it. */
export interface AttemptObserver {
  sending?(credentials: HeldCredentials, attempt: number): void;
  failed?(failure: ServiceFailure, credentials: HeldCredentials, retrying: boolean): void;
}

export interface CommandsClientOptions {
  endpoint: URL;
  region: string;
  credentials: AgentCredentials;
  pace: Pace;
  /** `http_read_timeout`: how long a long poll may stay without an answer. */
  readTimeoutSeconds: number;
  /** `enable_auth_policy` */
  isSecure?: boolean;
}

export class CommandsClient {
  readonly #options: CommandsClientOptions;

  constructor(options: CommandsClientOptions) {
    this.#options = options;
  }

  /** The answer's fields. @throws {ServiceFailure} after the last attempt, or what reading the credentials raised */
  async call(
    operation: CommandOperation,
    input: object,
    observer: AttemptObserver = {},
  ): Promise<Record<string, unknown>> {
    for (let attempt = 1; ; attempt++) {
      const credentials = this.#options.credentials.forRequest();
      observer.sending?.(credentials, attempt);
      try {
        return await this.#send(operation, JSON.stringify(input), credentials);
      } catch (error) {
        if (!(error instanceof ServiceFailure)) throw error;
        const retrying = error.retryable && attempt <= RETRY_LIMIT;
        observer.failed?.(error, credentials, retrying);
        if (!retrying) throw error;
        await pause(this.#options.pace.durationMs(RETRY_BASE_SECONDS * 2 ** (attempt - 1)));
        if (error.credentialsRefused) this.#options.credentials.readNow("refused");
      }
    }
  }

  async #send(
    operation: CommandOperation,
    body: string,
    credentials: HeldCredentials,
  ): Promise<Record<string, unknown>> {
    const { endpoint, region, pace, readTimeoutSeconds, isSecure = false } = this.#options;
    const { prefix, service } = isSecure ? SECURE : PLAIN;
    const target = `${prefix}.${operation}`;
    const { host: _, ...headers } = await signedHeaders(
      { endpoint, region, service, target, body },
      credentials,
    );
    const cutMs = Math.max(pace.durationMs(readTimeoutSeconds), SHORTEST_CUT_MS);
    const signal = AbortSignal.timeout(cutMs);
    const response = await received(fetch(endpoint, { method: "POST", headers, body, signal }));
    const text = await received(response.text());
    if (!response.ok) throw failureOf(response.status, response.headers.get("x-amzn-errortype"), text);
    try {
      return text === "" ? {} : JSON.parse(text);
    } catch {
      throw new ServiceFailure("ParseError", response.status, `${operation}: the answer is no JSON`);
    }
  }
}

/** What came over the network; its not coming is a failure with status 0. */
async function received<Value>(arriving: Promise<Value>): Promise<Value> {
  try {
    return await arriving;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new ServiceFailure("NetworkingError", 0, cause instanceof Error ? cause.message : String(cause));
  }
}
