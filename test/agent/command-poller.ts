/**
 * The worker's loop: poll, hand a command over, pause, poll again; and how it comes to an end.
 *
 * Polling and executing go on side by side, as in the original (`command_poller.rb`, `agent/base.rb`). On a stop
 * the events in hand are finished first; a command that the poll under way still brings is refused, which means
 * not acknowledged, so that the service gives it out again.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Log } from "./agent-log.ts";
import type { CommandsClient } from "./commands-client.ts";
import { isRecord, requiredString } from "./json-fields.ts";
import type { HostCommand } from "./lifecycle-event.ts";
import type { Pace } from "./pace.ts";
import { ServiceFailure } from "./service-failure.ts";
import type { Trace } from "./trace.ts";

/** `agent/base.rb`: ten errors in a row lead to the longest wait. */
const LONGEST_BACKOFF_SECONDS = 90;
const BACKOFF_STEPS = 10;
const BACKOFF_BASE = 1.2675;

export interface PollerOptions {
  sessionArn: string;
  client: CommandsClient;
  runEvent: (command: HostCommand) => Promise<void>;
  masterAlive: () => boolean;
  waitBetweenRunsSeconds: number;
  /** How long a stop waits for the events in hand. */
  maxShutdownSeconds: number;
  pace: Pace;
  log: Log;
  /** The SDK's own lines, which do not name the worker. */
  logCalls: Log;
  trace: Trace;
}

/** Seconds that the loop rests after the nth error in a row, the time of the failed poll included. */
export function backoffSeconds(errorsInARow: number): number {
  const step = Math.min(errorsInARow, BACKOFF_STEPS);
  return Math.floor(BACKOFF_BASE ** step * (LONGEST_BACKOFF_SECONDS / BACKOFF_BASE ** BACKOFF_STEPS));
}

export class CommandPoller {
  readonly #options: PollerOptions;
  readonly #eventsInHand = new Set<Promise<void>>();
  #drained: Promise<void> | undefined;
  #errorsInARow = 0;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  /** Ends when a stop has been asked for and its events are done, or when the master is gone. */
  async run(): Promise<void> {
    const { masterAlive, log, pace, waitBetweenRunsSeconds } = this.#options;
    while (!this.#drained) {
      if (!masterAlive()) {
        log("info", "Master not alive - shutting down");
        return;
      }
      await this.#pollOnce();
      // Neither this pause nor a poll under way is cut short by a stop: Ruby goes on with both after a trap.
      await pause(pace.durationMs(waitBetweenRunsSeconds));
    }
    await this.#drained;
    log("info", "shutting down");
  }

  /** Asks for a graceful stop; a second request changes nothing. */
  stop(signal: string): void {
    if (this.#drained) return;
    const { log, trace, maxShutdownSeconds } = this.#options;
    trace("shutdown", { signal, eventsInHand: this.#eventsInHand.size });
    log(
      "info",
      `Gracefully shutting down agent child threads now, will wait up to ${maxShutdownSeconds} seconds`,
    );
    this.#drained = this.#drain();
  }

  get eventsInHand(): number {
    return this.#eventsInHand.size;
  }

  async #drain(): Promise<void> {
    const { pace, maxShutdownSeconds, log } = this.#options;
    const limit = new AbortController();
    await Promise.race([
      Promise.all(this.#eventsInHand),
      pause(pace.durationMs(maxShutdownSeconds), undefined, { signal: limit.signal }).catch(() => {}),
    ]);
    limit.abort();
    log("info", "All agent child threads have been shut down");
  }

  async #pollOnce(): Promise<void> {
    const { pace } = this.#options;
    const startedMs = performance.now();
    try {
      const command = await this.#nextCommand();
      if (command) this.#takeOn(command);
      this.#errorsInARow = 0;
    } catch (error) {
      this.#noteFailure(error);
      this.#errorsInARow++;
      const spentSeconds = Math.ceil(pace.agentSeconds(performance.now() - startedMs));
      const restSeconds = backoffSeconds(this.#errorsInARow) - spentSeconds;
      if (restSeconds > 0) await pause(pace.durationMs(restSeconds));
    }
  }

  #noteFailure(error: unknown): void {
    const { log, trace } = this.#options;
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const title = error instanceof ServiceFailure ? `Aws::CodeDeployCommand::Errors::${error.code}` : name;
    log("error", `Error polling for host commands: ${title} - ${message}`);
    // The service's failures have been traced attempt by attempt.
    if (error instanceof ServiceFailure) return;
    trace("poll_error", { accessKeyId: undefined, code: name, message, retrying: false });
  }

  #takeOn(command: HostCommand): void {
    const { log, trace, runEvent } = this.#options;
    if (this.#drained) {
      log("warn", "Graceful shutdown initiated, skipping any further polling until agent restarts");
      trace("command_refused", { hostCommandIdentifier: command.hostCommandIdentifier });
      return;
    }
    const event = runEvent(command).finally(() => this.#eventsInHand.delete(event));
    this.#eventsInHand.add(event);
  }

  async #nextCommand(): Promise<HostCommand | undefined> {
    const { client, sessionArn, trace, logCalls, pace } = this.#options;
    let accessKeyId = "";
    let retries = 0;
    const startedMs = performance.now();
    /** As the SDK's logger puts it (the original's log in its issues 69 and 272). */
    const logAnswer = (status: number, error: string) => {
      const seconds = pace.agentSeconds(performance.now() - startedMs).toFixed(6);
      const call = `poll_host_command(host_identifier:"${sessionArn}")`;
      logCalls(
        "info",
        `[Aws::CodeDeployCommand::Client ${status} ${seconds} ${retries} retries] ${call} ${error}`,
      );
    };
    const answer = await client.call(
      "PollHostCommand",
      { HostIdentifier: sessionArn },
      {
        sending(credentials, attempt) {
          accessKeyId = credentials.accessKeyId;
          trace("poll", { accessKeyId, attempt });
        },
        failed({ code, status, message }, credentials, retrying) {
          if (retrying) retries += 1;
          else logAnswer(status, `Aws::CodeDeployCommand::Errors::${code} ${message}`);
          trace("poll_error", { accessKeyId: credentials.accessKeyId, code, message, retrying });
        },
      },
    );
    logAnswer(200, "");
    const command = hostCommand(answer.HostCommand, sessionArn);
    trace("poll_ok", { accessKeyId, hostCommandIdentifier: command?.hostCommandIdentifier });
    return command;
  }
}

function hostCommand(value: unknown, sessionArn: string): HostCommand | undefined {
  if (!isRecord(value)) return undefined;
  const hostIdentifier = requiredString(value, "HostIdentifier");
  if (!sessionArn.includes(hostIdentifier)) {
    throw new Error(`Host Identifier mismatch: ${sessionArn} != ${hostIdentifier}`);
  }
  return {
    hostCommandIdentifier: requiredString(value, "HostCommandIdentifier"),
    deploymentExecutionId: requiredString(value, "DeploymentExecutionId"),
    commandName: requiredString(value, "CommandName"),
  };
}
