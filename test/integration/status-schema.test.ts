/** What `run` writes is what docs/status.schema.json promises to those who parse it. */
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { afterAll, expect, test } from "vitest";
import { startAgent } from "../agent/launch.ts";
import { startEmulator } from "../aws-emulator/emulator.ts";
import { ScratchHost, SERIAL, SESSION_ARN } from "../harness/scratch-host.ts";

const schemaFile = new URL("../../docs/status.schema.json", import.meta.url);
const isValid = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(schemaFile, "utf8")),
);

const emulator = await startEmulator({ timeFactor: 60 });
emulator.instances.put({ name: SERIAL, region: "ap-northeast-2", iamSessionArn: SESSION_ARN });
afterAll(() => emulator.close());

function errorsOf(status: unknown): unknown {
  return isValid(status) ? [] : isValid.errors;
}

test("a status without a field, with an unknown one or of another type is not by the schema", () => {
  expect(errorsOf({ schema: 1 })).not.toEqual([]);
  expect(errorsOf(null)).not.toEqual([]);
});

test("the status file is by its published schema from the first start over an outage to the stop", async () => {
  const host = new ScratchHost({ endpoint: emulator.url, timeFactor: 60 });
  host.startPathUnit();
  const run = host.startRun();
  const agent = await startAgent({ directory: host.agentDirectory, endpoint: emulator.url, timeFactor: 60 });
  try {
    const fresh = await host.waitForStatus(
      ({ state, agent }) => state === "fresh" && agent.state === "running",
      "a running agent",
    );
    expect(errorsOf(fresh)).toEqual([]);
    expect(errorsOf({ ...fresh, surprise: true })).not.toEqual([]);
    expect(errorsOf({ ...fresh, state: "fine" })).not.toEqual([]);

    const fault = emulator.faults.set({ match: { service: "sts" }, kind: "throttle" });
    const failing = await host.waitForStatus(({ failure }) => failure !== null, "a failure");
    expect(errorsOf(failing)).toEqual([]);
    emulator.faults.clear(fault.id);

    await run.stop();
    const stopped = host.status();
    expect(stopped?.state).toBe("stopped");
    expect(errorsOf(stopped)).toEqual([]);
  } finally {
    await agent.stop();
    await host.close();
  }
});
