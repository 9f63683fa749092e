/** The findings on paper: the verdict, the columns, and commands that can be copied. */
import { describe, expect, test } from "vitest";
import type { CheckResult } from "../../../src/doctor/check.ts";
import { fail, left, pass, unseen, warn } from "../../../src/doctor/finding.ts";
import { describeResults, verdictOf } from "../../../src/doctor/report.ts";

const of = (finding: ReturnType<typeof pass>, title = "A title", group = "Agent" as const): CheckResult => ({
  id: "agent.x",
  group,
  title,
  ...finding,
});
const good = of(pass("all is well"));
const bad = of(
  fail("it is broken in a way that takes a good many words to be told, more than a line holds", {
    advice: "Be careful.",
    mend: [
      "systemctl reload a-service-with-a-long-name.service --and-an-option-that-makes-it-longer-than-the-terminal",
    ],
  }),
);

describe("the verdict", () => {
  test.each([
    ["all well", [good], 0, "S: 1 check passed"],
    ["a warning", [good, of(warn("x", {}))], 1, "S: 1 warning, 1 passed; first: Agent, A title"],
    ["a failure", [of(warn("x", {})), bad], 2, "S: 1 failed, 1 warning, 0 passed; first: Agent, A title"],
    ["something not to be seen", [good, of(unseen("x", {}))], 3, "S: 1 could not be seen, 1 passed"],
    ["something that nobody asked for", [good, of(left("x"))], 0, "S: 1 check passed"],
    [
      "a warning beside what is not to be seen",
      [of(warn("x", {})), of(unseen("x", {}))],
      1,
      /^S: 1 warning, 1 could/,
    ],
  ])("%s", (_, results, level, summary) => {
    const verdict = verdictOf(results, "S");
    expect(verdict.level).toBe(level);
    expect(verdict.summary).toEqual(typeof summary === "string" ? summary : expect.stringMatching(summary));
  });
});

const show = (
  results: CheckResult[],
  columns: number,
  options: Partial<{ rerun: string; isTerminal: boolean }> = {},
) =>
  describeResults(
    results,
    verdictOf(results, "S"),
    { columns, isTerminal: options.isTerminal ?? false },
    { rerun: options.rerun ?? null, prefix: options.rerun === undefined ? "" : "sudo " },
  );

describe("on paper", () => {
  test("wide: what was seen stands beside the title", () => {
    expect(show([good, bad], 100)).toBe(
      [
        "CRITICAL - S: 1 failed, 1 passed; first: Agent, A title",
        "",
        "Agent",
        "  pass  A title                         all is well",
        "  FAIL  A title                         it is broken in a way that takes a good many words to be",
        "                                        told, more than a line holds",
        "                                        Be careful.",
        `          ${bad.mend[0]}`,
      ].join("\n"),
    );
  });

  test("60 columns: below it; a command stays whole", () => {
    expect(show([good, bad], 60)).toBe(
      [
        "CRITICAL - S: 1 failed, 1 passed; first: Agent, A title",
        "",
        "Agent",
        "  pass  A title",
        "        all is well",
        "  FAIL  A title",
        "        it is broken in a way that takes a good many words",
        "        to be told, more than a line holds",
        "        Be careful.",
        `          ${bad.mend[0]}`,
      ].join("\n"),
    );
  });

  test("colours on a terminal only", () => {
    expect(show([good, bad], 100)).not.toContain("\x1b");
    expect(show([good, bad], 100, { isTerminal: true })).toContain("\x1b[31mFAIL\x1b[39m");
  });

  test("a group of which nothing was checked is one line", () => {
    const nothing = left("not checked: the configuration is wrong");
    const text = show([of(nothing, "One"), of(nothing, "Two")], 100);
    expect(text).toMatch(/\? {3}None of its checks +not checked/);
    expect(text).not.toMatch(/One|Two/);
  });

  test("for a user without rights: sudo before commands, and the way to see more once, at the end", () => {
    const hidden = of(unseen("it may not be read", { mend: ["idc-helper doctor"] }));
    const text = show([bad, hidden, hidden, good], 100, { rerun: "idc-helper doctor" });
    expect(text.match(/idc-helper doctor/g)).toHaveLength(1);
    expect(text).toMatch(/As root:\n {10}sudo idc-helper doctor$/);
    expect(text).toContain("\n          sudo systemctl reload");
  });
});
