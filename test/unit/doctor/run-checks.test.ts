/** Checks run side by side; whatever one of them does, the others are told of, in order. */
import { describe, expect, test } from "vitest";
import { type Check, runChecks } from "../../../src/doctor/check.ts";
import { Examination } from "../../../src/doctor/examination.ts";
import { pass, Unmet } from "../../../src/doctor/finding.ts";
import { CHECK_GROUPS } from "../../../src/doctor/groups.ts";
import { Failure } from "../../../src/failure.ts";

const examination = new Examination({
  configPath: "/nowhere",
  profile: null,
  deep: false,
  env: {},
  factor: 1,
});
const check = (id: string, run: Check["run"]): Check => ({ id, title: id, run });
const run = (checks: Check[], limitMs?: number) =>
  runChecks([{ group: "Host", checks }], examination, limitMs);

describe("a check", () => {
  test("whose precondition does not hold says so, and does not count", async () => {
    const broken = check("a", async () => {
      throw new Unmet("the configuration is wrong");
    });
    expect(await run([broken])).toMatchObject([
      { state: "unknown", seen: "not checked: the configuration is wrong", counts: false },
    ]);
  });

  test("that cannot be answered tells why, and what to do", async () => {
    const failing = check("a", async () => {
      throw new Failure({ kind: "throttled", message: "AWS throttles it", nextStep: "Wait." });
    });
    expect(await run([failing])).toMatchObject([
      { state: "unknown", seen: "AWS throttles it", advice: "Wait.", counts: true },
    ]);
  });

  test("with a bug in it does not take the others down", async () => {
    const buggy = check("a", async () => {
      throw new TypeError("x is not a function");
    });
    const good = check("b", async () => pass("good"));
    expect(await run([buggy, good])).toMatchObject([
      { id: "a", state: "unknown", seen: "the check itself failed: x is not a function" },
      { id: "b", state: "pass" },
    ]);
  });

  test("that does not end is given up, and the others are shown", async () => {
    const hanging = check("a", () => new Promise(() => undefined));
    const good = check("b", async () => pass("good"));
    expect(await run([hanging, good], 50)).toMatchObject([
      { id: "a", state: "unknown", seen: expect.stringContaining("did not end within") },
      { id: "b", state: "pass" },
    ]);
  });
});

test("the order is that of the list, whichever ends first", async () => {
  let release: () => void = () => undefined;
  const slow = check("slow", async () => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return pass("");
  });
  const fast = check("fast", async () => {
    release();
    return pass("");
  });
  expect((await run([slow, fast])).map(({ id }) => id)).toEqual(["slow", "fast"]);
});

test("every check has a name of its own, which programs may rely on", () => {
  const ids = CHECK_GROUPS.flatMap(({ checks }) => checks.map(({ id }) => id));
  expect(new Set(ids).size).toBe(ids.length);
});
