/** How steps are shown: on a terminal, in a pipe, narrow and wide. */
import { describe, expect, it } from "vitest";
import { fitted, Progress, type StepReport, wrap } from "../../../src/report/progress.ts";

const REPORT: StepReport = {
  step: "tags",
  title: "Tag the instance",
  state: "done",
  detail: "added Name=web",
  notes: [],
  tookMs: 1_249,
};

function shown(report: Partial<StepReport>, { columns = 60, isTerminal = false } = {}): string {
  const parts: string[] = [];
  const screen = { columns, isTerminal, write: (part: string) => void parts.push(part) };
  new Progress(screen).end({ ...REPORT, ...report });
  return parts.join("");
}

describe("wrap", () => {
  it("breaks at spaces, and leaves whole what is longer than a line", () => {
    expect(wrap("one two three", 7)).toBe("one two\nthree");
    expect(wrap("see arn:aws:iam::123456789012:role/Host now", 10)).toBe(
      "see\narn:aws:iam::123456789012:role/Host\nnow",
    );
  });

  it("keeps the lines there are", () => expect(wrap("- one two\n- three", 7)).toBe("- one\ntwo\n- three"));
});

describe("a step's end", () => {
  it("has its time at the right margin, and its detail below", () =>
    expect(shown({})).toBe(`  done  Tag the instance${" ".repeat(31)}1.2 s\n        added Name=web\n`));

  it("wraps what it says, and a list of several things, but no block that is to be copied", () => {
    const detail = "- this command must be run as root (sudo), which it was not\n- and more";
    expect(
      shown({ detail, notes: ["--- a\n+++ b with a line that is longer than the terminal is wide"] }),
    ).toBe(
      `  done  Tag the instance${" ".repeat(31)}1.2 s
        - this command must be run as root (sudo), which it
        was not
        - and more
        --- a
        +++ b with a line that is longer than the terminal is wide
`,
    );
  });

  it("lets nothing that was found on the host steer the terminal", () => {
    const text = shown(
      { detail: "runs /tmp/\u001b[2J.sh", notes: ["a\u009b1m\nb\r\tc"] },
      { isTerminal: true },
    );
    expect(text).toContain("runs /tmp/?[2J.sh");
    expect(text).toContain("a?1m\n        b?\tc");
  });

  it("writes over the line of its beginning, on a terminal only", () => {
    expect(shown({}, { isTerminal: true }).startsWith("\r\u001b[K  ")).toBe(true);
    expect(shown({})).not.toContain("\u001b");
  });
});

describe("fitted", () => {
  const stream = (isTTY: boolean, columns: number) => ({ isTTY, columns }) as NodeJS.WriteStream;

  it("wraps for a terminal, and leaves a pipe its lines", () => {
    const text = "word ".repeat(20).trim();
    expect(fitted(text, stream(true, 60)).split("\n")).toHaveLength(2);
    expect(fitted(text, stream(false, 60))).toBe(text);
  });
});
