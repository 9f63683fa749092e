/** Whether this is a service, and that the tests' faster clock never runs in one. */
import { describe, expect, test } from "vitest";
import { Failure } from "../../../src/failure.ts";
import { isSystemdService, scaled, scaledLimit, timeFactor } from "../../../src/host/service-environment.ts";

describe("a systemd service is told from a shell", () => {
  test.each([
    ["a plain shell", {}, 4_711, false],
    ["a shell of a desktop that systemd started", { INVOCATION_ID: "x" }, 4_711, false],
    ["a process that init adopted", {}, 1, false],
    ["a service", { INVOCATION_ID: "x" }, 1, true],
    ["a Type=notify service", { NOTIFY_SOCKET: "/run/x" }, 1, true],
    ["a child of our service", { INVOCATION_ID: "x", STATE_DIRECTORY: "/var/lib/x" }, 4_711, true],
    ["a service with a runtime directory", { RUNTIME_DIRECTORY: "/run/x" }, 4_711, true],
    ["empty variables", { NOTIFY_SOCKET: "", STATE_DIRECTORY: "", INVOCATION_ID: "" }, 1, false],
  ])("%s", (_, env, parent, isService) => {
    expect(isSystemdService(env, parent)).toBe(isService);
  });
});

describe("the time factor", () => {
  test.each([
    [undefined, 1],
    ["", 1],
    ["1", 1],
    ["60", 60],
    ["1.5", 1.5],
    ["4000", 4_000],
  ])("%j is %s", (text, factor) => {
    expect(timeFactor(text === undefined ? {} : { IDC_HELPER_TIME_FACTOR: text })).toBe(factor);
  });

  const refusal = (env: NodeJS.ProcessEnv) => {
    try {
      return timeFactor(env);
    } catch (error) {
      return error instanceof Failure ? error.report() : error;
    }
  };

  test.each(["0", "0.5", "-60", "4001", "fast", "Infinity", "NaN", "60x"])("%j is refused", (text) => {
    expect(refusal({ IDC_HELPER_TIME_FACTOR: text })).toMatchObject({
      kind: "config",
      message: `IDC_HELPER_TIME_FACTOR is "${text}"; a number from 1 to 4000 is allowed`,
    });
  });

  test.each(["NOTIFY_SOCKET", "STATE_DIRECTORY", "RUNTIME_DIRECTORY"])(
    "is refused in a service (%s)",
    (name) => {
      expect(refusal({ IDC_HELPER_TIME_FACTOR: "60", [name]: "/x" })).toMatchObject({
        kind: "config",
        message: expect.stringContaining("refused in a systemd service"),
      });
    },
  );

  test("shortens durations, but no limit on real work below what that takes", () => {
    expect(scaled(3_600_000, 60)).toBe(60_000);
    expect(scaledLimit(3_600_000, 60)).toBe(60_000);
    expect(scaledLimit(60_000, 60)).toBe(10_000);
    expect(scaledLimit(5_000, 60)).toBe(5_000);
    expect(scaledLimit(5_000, 1)).toBe(5_000);
  });
});
