/**
 * sd_notify(3): a datagram that this very process sends. systemd-notify(1) as a child loses messages, because
 * PID 1 looks its sender up after it has exited (systemd issue 2737; docs/dependencies.md).
 */
import { errorText } from "../failure.ts";
import type { Log } from "../report/log.ts";
import { openDatagrams } from "./datagram.ts";

export interface Notifier {
  /** Sends `KEY=value` lines in one datagram; without a socket it does nothing. */
  send(...lines: string[]): Promise<void>;
  /** How often systemd wants to hear from us at the least, in milliseconds; null when it does not watch. */
  readonly watchdogMs: number | null;
}

/** Takes the variables out of the environment, so that no child speaks in our name. */
export function openNotifier(env: NodeJS.ProcessEnv, log: Log): Notifier {
  const path = env.NOTIFY_SOCKET;
  const watchdogMs = watchdogInterval(env);
  delete env.NOTIFY_SOCKET;
  delete env.WATCHDOG_USEC;
  delete env.WATCHDOG_PID;
  if (!path) return { send: async () => undefined, watchdogMs: null };
  // A leading @ stands for the null byte of an abstract name.
  const address = path.startsWith("@") ? `\0${path.slice(1)}` : path;
  return { watchdogMs, send: (...lines) => sendDatagram(address, lines.join("\n"), log) };
}

function watchdogInterval({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number | null {
  const isOurs = !WATCHDOG_PID || Number(WATCHDOG_PID) === process.pid;
  const ms = Number(WATCHDOG_USEC) / 1_000;
  return isOurs && ms > 0 ? ms : null;
}

async function sendDatagram(address: string, text: string, log: Log): Promise<void> {
  try {
    await (await openDatagrams()).send(address, Buffer.from(text));
  } catch (error) {
    log.debug("notify_failed", { why: errorText(error) });
  }
}
