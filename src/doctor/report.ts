/** The findings as a person reads them, and the verdict as a monitoring plugin gives it. */
import { styleText } from "node:util";
import { harmless, type Screen, wrap } from "../report/progress.ts";
import { VERDICTS, type Verdict } from "../report/status-text.ts";
import type { CheckResult } from "./check.ts";
import type { FindingState } from "./finding.ts";

const WORDS: Record<FindingState, string> = { pass: "pass", warn: "WARN", fail: "FAIL", unknown: "  ? " };
const COLOURS = { pass: "green", warn: "yellow", fail: "red", unknown: "gray" } as const;
const VERDICT_COLOURS = ["green", "yellow", "red", "magenta"] as const;

const TITLE_AT = 8;
const SEEN_AT = 40;
/** Narrower than this, what was seen goes below the title. */
const WIDE_ENOUGH = 90;
const COMMAND_INDENT = 10;

/** A failure counts most, what could not be seen least: nobody is woken by it. */
export function verdictOf(results: readonly CheckResult[], subject: string): Verdict {
  const count = (state: FindingState) =>
    results.filter((result) => result.state === state && result.counts).length;
  const [failed, warned, unknown] = [count("fail"), count("warn"), count("unknown")];
  const parts = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(warned > 0 ? [`${warned} warning${warned === 1 ? "" : "s"}`] : []),
    ...(unknown > 0 ? [`${unknown} could not be seen`] : []),
  ];
  const level = failed > 0 ? 2 : warned > 0 ? 1 : unknown > 0 ? 3 : 0;
  const passed = results.filter(({ state }) => state === "pass").length;
  const worst = results.find(({ state, counts }) => counts && state === (level === 2 ? "fail" : "warn"));
  const first = level === 1 || level === 2 ? `; first: ${worst?.group}, ${worst?.title}` : "";
  const counted =
    parts.length === 0
      ? `${passed} check${passed === 1 ? "" : "s"} passed`
      : `${parts.join(", ")}, ${passed} passed`;
  return { level, summary: `${subject}: ${counted}${first}` };
}

export interface ReportOptions {
  /** What lets this user see more; null where nothing does. */
  rerun: string | null;
  /** Put before commands: empty for root. */
  prefix: string;
}

export function describeResults(
  results: readonly CheckResult[],
  { level, summary }: Verdict,
  screen: Pick<Screen, "isTerminal" | "columns">,
  { rerun, prefix }: ReportOptions,
): string {
  const paint = painter(screen.isTerminal);
  const word = VERDICTS[level];
  // The first line stays whole, for what reads only that.
  const lines = [`${paint(VERDICT_COLOURS[level], word)} - ${summary}`];
  let group: string | null = null;
  for (const result of withoutRepetition(results)) {
    if (result.group !== group) lines.push("", paint("bold", result.group));
    ({ group } = result);
    lines.push(...describeOne(result, screen.columns, paint, { rerun, prefix }));
  }
  if (rerun !== null && results.some(({ mend }) => isRerun(mend, rerun))) {
    lines.push("", wrap("This user may not see everything. As root:", screen.columns));
    lines.push(indent(paint("cyan", prefix + rerun), COMMAND_INDENT));
  }
  return lines.join("\n");
}

/** A group of which nothing could be checked, for one reason, is one line. */
function withoutRepetition(results: readonly CheckResult[]): CheckResult[] {
  return [...Map.groupBy(results, ({ group }) => group).values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined || group.length === 1) return group;
    const isAlike = ({ state, seen, mend }: CheckResult) =>
      state === "unknown" && seen === first.seen && mend.length === 0;
    return group.every(isAlike) ? [{ ...first, title: "None of its checks" }] : group;
  });
}

type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

function painter(isTerminal: boolean): Paint {
  const isColoured = isTerminal && !process.env.NO_COLOR;
  return (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text);
}

function describeOne(
  { state, title, seen, advice, mend }: CheckResult,
  columns: number,
  paint: Paint,
  { rerun, prefix }: ReportOptions,
): string[] {
  const head = `  ${paint(COLOURS[state], WORDS[state])}  `;
  const isWide = columns >= WIDE_ENOUGH;
  const at = isWide ? SEEN_AT : TITLE_AT;
  const text = wrap(harmless(seen), columns - at);
  const dim = (line: string) => (state === "pass" ? paint("gray", line) : line);
  const body = text.split("\n").map(dim);
  const [first = "", ...rest] = body;
  const lines = isWide
    ? [
        head + title.padEnd(SEEN_AT - TITLE_AT - 1) + (first === "" ? "" : ` ${first}`),
        ...rest.map((line) => indent(line, at)),
      ]
    : [head + title, ...body.map((line) => indent(line, at))];
  if (advice !== "")
    lines.push(
      ...wrap(advice, columns - at)
        .split("\n")
        .map((line) => indent(line, at)),
    );
  if (rerun !== null && isRerun(mend, rerun)) return lines;
  // Each on a line of its own, never broken, so that it can be copied.
  lines.push(...mend.map((command) => indent(paint("cyan", prefix + harmless(command)), COMMAND_INDENT)));
  return lines;
}

function isRerun(mend: readonly string[], rerun: string): boolean {
  return mend.length === 1 && mend[0] === rerun;
}

function indent(text: string, by: number): string {
  return " ".repeat(by) + text;
}
