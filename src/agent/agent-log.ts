/**
 * What the agent's own log says of its polls. `active` proves nothing about the worker (FACTS), and AWS tells nobody
 * who polls; the log has a line for each answered call, under the worker's process id:
 *
 *     2026-01-31T09:00:45 INFO  [codedeploy-agent(4711)]: [Aws::CodeDeployCommand::Client 200 45.33 0 retries] poll_host_command(host_identifier:"ARN")
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** A long poll leaves a line a minute; this is hours of them. */
const TAIL_BYTES = 256 * 1_024;

export interface PollLine {
  pid: number;
  /** As logged: the host's local time, without a zone. */
  at: string;
  status: number;
  /** Whom it polled as. */
  hostIdentifier: string;
  /** The exception's name, such as `ExpiredTokenException`; null for an answer. */
  error: string | null;
}

/** Within one line: across lines, each would be gone over once for each line before it. */
const POLL =
  /^(\S+(?: \d\S*)?)[ \t]+[A-Z]+[ \t]+\[[^\]\n]*\((\d+)\)\]: \[Aws::CodeDeployCommand(?:Secure)?::Client (\d{3}) [^\]\n]*\] poll_host_command\(host_identifier:"([^"\n]*)"\)[ \t]*(?:Aws::\w+::Errors::(\w+))?/gm;

/**
 * The polls in the last part of the log, oldest first.
 *
 * @throws the system error
 */
export async function readPolls(logFile: string): Promise<PollLine[]> {
  return parsePolls(await readTail(logFile));
}

export function parsePolls(text: string): PollLine[] {
  return [...text.matchAll(POLL)].map(([, at = "", pid, status, hostIdentifier = "", error]) => {
    return { at, pid: Number(pid), status: Number(status), hostIdentifier, error: error ?? null };
  });
}

/** The last part of a log, from the start of a line. @throws the system error */
export async function readTail(path: string, maxBytes: number = TAIL_BYTES): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - maxBytes);
    const buffer = Buffer.alloc(Math.min(size, maxBytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    const text = buffer.toString("utf8", 0, bytesRead);
    return start === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } finally {
    await file.close();
  }
}
