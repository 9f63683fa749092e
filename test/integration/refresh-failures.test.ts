/** `idc-helper refresh`, typed by an operator while AWS misbehaves. */
import { existsSync } from "node:fs";
import { describe, it } from "vitest";
import { openScene } from "../harness/scene.ts";
import { FAULT_CASES, SHORT_TIMEOUTS } from "./fault-table.ts";

/** One for each thing that a person may be told; every fault's own is seen in faults-in-service. */
const CASES = FAULT_CASES.filter((one, n) => {
  return FAULT_CASES.findIndex(({ says }) => says.source === one.says.source) === n;
});

describe.concurrent("a refresh that fails tells a person what is wrong and what to do", () => {
  it.for(CASES)("$fault: $kind", async ({ kind, says, advises, begin }, test) => {
    const { expect } = test;
    const { emulator, host } = await openScene(test, { config: SHORT_TIMEOUTS });
    await begin(emulator);

    const { code, stdout, stderr } = await host.command("refresh", "--json");

    expect(code).toBe(1);
    expect(stderr).toBe("");
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ result: "failed", kind });
    expect(answer.message).toMatch(says);
    expect(answer.nextStep).toMatch(advises);
    expect(existsSync(host.credentialsFile)).toBe(false);
  });
});
