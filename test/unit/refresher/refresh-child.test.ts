/** What a refresh that ran as a child came to, however it ended. */
import { describe, expect, test } from "vitest";
import type { ChildResult } from "../../../src/refresher/child.ts";
import { interpret } from "../../../src/refresher/refresh-child.ts";

const ENDED: ChildResult = { exitCode: 0, signal: null, output: "", errors: "", wasTooSlow: false };
const ISSUED = {
  result: "issued",
  issuedAt: "2026-11-22T10:00:00Z",
  expiresAt: "2026-11-22T11:00:00Z",
  sessionArn: "arn",
  warnings: [],
};
const FAILED = { result: "failed", kind: "denied", message: "m", nextStep: "n", retryAfterMs: 5 };
const of = (changes: Partial<ChildResult>) => interpret({ ...ENDED, ...changes }, 60_000);

describe("the child's answer", () => {
  test.each([
    ["an issue", JSON.stringify(ISSUED), 0, ISSUED],
    ["a failure", `${JSON.stringify(FAILED)}\n`, 1, FAILED],
    ["after something else that was printed", `Debugger attached.\n${JSON.stringify(ISSUED)}\n\n`, 0, ISSUED],
  ])("is taken: %s", (_, output, exitCode, expected) => {
    expect(of({ output, exitCode })).toEqual(expected);
  });

  test.each([
    ["nothing", ""],
    ["half a line", JSON.stringify(ISSUED).slice(0, 40)],
    ["null", "null"],
    ["a number", "5"],
    ["an issue without an expiry", '{"result":"issued"}'],
    ["a failure of no kind that we know", '{"result":"failed","kind":"bored","message":"m"}'],
    ["something else", '{"ok":true}'],
    ["an issue without its warnings", JSON.stringify({ ...ISSUED, warnings: undefined })],
    ["an issue with a warning that is none", JSON.stringify({ ...ISSUED, warnings: [null] })],
    ["a failure without words", JSON.stringify({ ...FAILED, message: undefined })],
    ["a failure to be tried again who knows when", JSON.stringify({ ...FAILED, retryAfterMs: "x" })],
  ])("that is %s is a crash, with the child's last words", (_, output) => {
    expect(of({ output, exitCode: 134, errors: "first\nlast words\n" })).toMatchObject({
      result: "failed",
      kind: "crashed",
      message: "the refresh process ended with status 134 and without an answer: last words",
    });
  });
});

test("a child that was killed is named with the signal, and long last words are cut", () => {
  const outcome = of({ exitCode: null, signal: "SIGKILL", errors: "x".repeat(5_000) });
  expect(outcome).toMatchObject({
    kind: "crashed",
    message: expect.stringMatching(/ended by SIGKILL .*: x{200}$/),
  });
});

test("a child that was too slow is a timeout, whatever it had printed", () => {
  expect(of({ wasTooSlow: true, signal: "SIGKILL", output: JSON.stringify(ISSUED) })).toMatchObject({
    result: "failed",
    kind: "timeout",
    message: "the refresh did not end within 60 s and was ended",
  });
});
