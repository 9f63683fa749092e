/**
 * The cadence as a cron expression. `node-cron` parses and matches it; walking from match to match is ours,
 * because its own `getNextRun` reads the clock and we decide on a time that is passed in (FACTS).
 */
import { createTask, type ParsedFields, parse, validateDetailed } from "node-cron";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Sessions last twelve hours at most, so a schedule without a match in two days is never a usable one. */
const SEARCH_LIMIT_MS = 2 * DAY_MS;

export interface Cron {
  /** The first match strictly after an instant (both in milliseconds since the epoch); null when none is near. */
  nextAfter(instantMs: number): number | null;
  /** Longest time between two matches; Infinity when there are days without one. */
  longestGapMs: number;
  shortestGapMs: number;
}

/** The library makes a list of every number of a range before it looks whether the field may hold it. */
const LONGEST_EXPRESSION = 1_000;
const TOO_LARGE_A_NUMBER = /\d{4,}/;

/** @returns the parsed expression, or what is wrong with it */
export function parseCron(expression: string): Cron | { error: string } {
  if (expression.length > LONGEST_EXPRESSION) {
    return { error: `it has ${expression.length} characters; at most ${LONGEST_EXPRESSION} are read` };
  }
  const [number] = TOO_LARGE_A_NUMBER.exec(expression) ?? [];
  if (number !== undefined) return { error: `no field takes a number as large as ${number.slice(0, 40)}` };
  const fieldCount = expression.trim().split(/\s+/).length;
  if (fieldCount !== 5 && fieldCount !== 6) {
    return { error: `it has ${fieldCount} field${fieldCount === 1 ? "" : "s"}` };
  }
  const { valid, errors } = validateDetailed(expression);
  if (!valid) return { error: errors.map(({ field, message }) => `${field}: ${message}`).join("; ") };
  const fields = parse(expression);
  // Made when it is first asked: with it comes `Intl`, and who only wants to know that the expression is right pays for
  // none of that.
  let task: ReturnType<typeof createTask> | null = null;
  const matches = (date: Date): boolean => {
    task ??= createTask(expression, () => undefined);
    return task.match(date);
  };
  return { nextAfter: (instantMs) => nextAfter(instantMs, fields, matches), ...gaps(fields) };
}

function nextAfter(instantMs: number, fields: ParsedFields, matches: (date: Date) => boolean): number | null {
  const start = Math.floor(instantMs / MINUTE_MS) * MINUTE_MS;
  const seconds = sorted(fields.second);
  for (let minute = start; minute <= start + SEARCH_LIMIT_MS; minute += MINUTE_MS) {
    const local = new Date(minute);
    // The library's own test of a date formats it for a time zone, which is slow: ask it only where it may match.
    if (!fields.minute.includes(local.getMinutes()) || !fields.hour.includes(local.getHours())) continue;
    for (const second of seconds) {
      const candidate = minute + second * 1_000;
      if (candidate > instantMs && matches(new Date(candidate))) return candidate;
    }
  }
  return null;
}

function gaps(fields: ParsedFields): { longestGapMs: number; shortestGapMs: number } {
  const times: number[] = [];
  for (const hour of sorted(fields.hour)) {
    for (const minute of sorted(fields.minute)) {
      for (const second of sorted(fields.second)) times.push(((hour * 60 + minute) * 60 + second) * 1_000);
    }
  }
  const first = times[0] ?? 0;
  const between = times.map((time, index) => (times[index + 1] ?? first + DAY_MS) - time);
  // Reduced, not spread: `* * * * * *` has 86,400 of them.
  const shortestGapMs = between.reduce((a, b) => Math.min(a, b), DAY_MS);
  const longestGapMs = runsEveryDay(fields) ? between.reduce((a, b) => Math.max(a, b), 0) : Infinity;
  return { longestGapMs, shortestGapMs };
}

function runsEveryDay({ dayOfMonth, month, dayOfWeek }: ParsedFields): boolean {
  const covers = (values: (number | string)[], from: number, to: number) => {
    const wanted = Array.from({ length: to - from + 1 }, (_, index) => from + index);
    return wanted.every((value) => values.includes(value));
  };
  return covers(dayOfMonth, 1, 31) && covers(month, 1, 12) && covers(dayOfWeek, 0, 6);
}

function sorted(values: number[]): number[] {
  // Each once: where ranges overlap the library repeats them, and all combinations of them are gone through.
  return [...new Set(values)].sort((a, b) => a - b);
}
