/** What the last part of the agent's log tells of trouble. Its times are the host's local time, without a zone. */

export interface LogTroubles {
  /** The last line of each kind, shortened; null without one. */
  expired: string | null;
  denied: string | null;
  /** Of `codedeploy-commands-secure` in particular. */
  secureDenied: string | null;
  /** When a call was answered after the last of these; null when none was. */
  recoveredAt: string | null;
}

const TIME = /^\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)/;
const EXPIRED = /ExpiredToken(?:Exception)?/;
const DENIED = /AccessDenied(?:Exception)?|is not authorized to perform/;
const ANSWERED = /::Client 200 /;
const LONGEST_LINE = 240;

/** @param sinceMs by the wall clock; what was logged before does not count */
export function readTroubles(text: string, sinceMs: number): LogTroubles {
  const troubles: LogTroubles = { expired: null, denied: null, secureDenied: null, recoveredAt: null };
  let atMs = 0;
  for (const line of text.split("\n")) {
    const time = TIME.exec(line)?.[1];
    // A line without a time (a stack trace) is of the line before it. A second is as fine as it gets.
    if (time !== undefined) atMs = Date.parse(time.replace(" ", "T"));
    if (atMs + 999 < sinceMs) continue;
    const shown = line.slice(0, LONGEST_LINE);
    const isTrouble = EXPIRED.test(line) || DENIED.test(line);
    if (EXPIRED.test(line)) troubles.expired = shown;
    else if (DENIED.test(line)) troubles.denied = shown;
    if (DENIED.test(line) && /codedeploy-commands-secure|CodeDeployCommandSecure/.test(line))
      troubles.secureDenied = shown;
    if (isTrouble) troubles.recoveredAt = null;
    else if (ANSWERED.test(line) && time !== undefined && (troubles.expired ?? troubles.denied) !== null)
      troubles.recoveredAt = time;
  }
  return troubles;
}

const FLAPPING_WITHIN_MS = 2 * 60_000;
const MANY_WORKERS = 4;

/** Whether workers die as soon as they are started: the master replaces each after 5 s (FACTS). */
export function isFlapping(text: string, nowMs: number): boolean {
  const replaced = text.split("\n").filter((line) => {
    if (!line.includes("been told to replace child")) return false;
    const time = TIME.exec(line)?.[1];
    return time !== undefined && nowMs - Date.parse(time.replace(" ", "T")) < FLAPPING_WITHIN_MS;
  });
  return replaced.length >= MANY_WORKERS;
}
