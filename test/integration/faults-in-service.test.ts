/** The service while AWS misbehaves: nothing the agent holds gets worse, and it is over as soon as the fault is. */
import { readFileSync } from "node:fs";
import { afterAll, describe, it } from "vitest";
import { needsAPerson } from "../../src/failure.ts";
import type { Status } from "../../src/report/status.ts";
import { BASE_KEY, type Emulator, startEmulator } from "../aws-emulator/emulator.ts";
import type { Run } from "../harness/launch.ts";
import { quietSchedule } from "../harness/schedule.ts";
import { ScratchHost } from "../harness/scratch-host.ts";
import { FAULT_CASES, type FaultCase, SHORT_TIMEOUTS } from "./fault-table.ts";

const FACTOR = 10;
/** The longest backoff steps there are, in simulated milliseconds. */
const LONGEST_STEP_MS = { usual: 40_000, throttled: 160_000, person: 300_000 };

interface Scene {
  emulator: Emulator;
  host: ScratchHost;
  run: Run;
}

/** Hosts whose service runs and has good credentials; a test takes one and gives it back if it is as it was. */
const idle: Scene[] = [];
const started: Scene[] = [];

afterAll(async () => {
  for (const { host, emulator } of started) {
    await host.close();
    await emulator.close();
  }
});

async function takeScene(): Promise<Scene> {
  const free = idle.pop();
  if (free !== undefined) return free;
  const emulator = await startEmulator({ timeFactor: FACTOR });
  const config = SHORT_TIMEOUTS + quietSchedule(FACTOR);
  const host = new ScratchHost({ endpoint: emulator.url, timeFactor: FACTOR, config });
  const scene = { emulator, host, run: host.startRun() };
  started.push(scene);
  await host.waitForStatus(({ state }) => state === "fresh", "good credentials");
  return scene;
}

const stepOf = ({ kind }: FaultCase) =>
  needsAPerson(kind) ? "person" : kind === "throttled" ? "throttled" : "usual";

/** Only one fault of each kind has to fail twice: what is told once is told by kind. */
const failsTwice = ({ kind, fault }: FaultCase) =>
  FAULT_CASES.find((one) => one.kind === kind)?.fault === fault;

/** The next refresh comes now. */
const askRefresh = ({ run }: Scene) => process.kill(run.pid, "SIGUSR2");

/** @returns how things stand between two attempts, once it has failed so often in a row */
function failedAttempts({ host }: Scene, times: number): Promise<Status> {
  return host.waitForStatus(
    ({ failures_in_a_row, last_attempt, next_refresh_at }) =>
      failures_in_a_row >= times && last_attempt?.result === "failed" && next_refresh_at !== null,
    `${times} failed attempts`,
  );
}

const fileOf = ({ host }: Scene) => readFileSync(host.credentialsFile, "utf8");

/** When the credentials in the file expire, as AWS knows it. */
function expiryOf({ emulator }: Scene, file: string): number {
  const keyId = /^aws_access_key_id = (\S+)$/m.exec(file)?.[1];
  const session = emulator.sessions.list().find(({ accessKeyId }) => accessKeyId === keyId);
  return session?.expiresAt.getTime() ?? 0;
}

function plannedDelayMs({ last_attempt, next_refresh_at }: Status): number {
  return (Date.parse(next_refresh_at ?? "") - Date.parse(last_attempt?.finished_at ?? "")) * FACTOR;
}

describe.concurrent("while AWS misbehaves, the old file stays good and one line tells why", () => {
  it.for(FAULT_CASES)("$fault: $kind, and over within one backoff step", async (fault, { expect }) => {
    const scene = await takeScene();
    const { emulator, host, run } = scene;
    const good = fileOf(scene);
    const told = run.lines("refresh_failed").length;
    const recovered = run.lines("refresh_recovered").length;

    await fault.begin(emulator);
    askRefresh(scene);
    const first = await failedAttempts(scene, 1);
    if (failsTwice(fault) && stepOf(fault) === "person") askRefresh(scene);
    const second = failsTwice(fault) ? await failedAttempts(scene, 2) : first;

    expect(second).toMatchObject({ state: "retrying", failure: { kind: fault.kind } });
    expect(second.failure?.message).toMatch(fault.says);
    expect(second.failure?.next_step).toMatch(fault.advises);
    expect(fileOf(scene)).toBe(good);
    expect(expiryOf(scene, good)).toBeGreaterThan(Date.now());
    for (const status of [first, second]) {
      expect(plannedDelayMs(status)).toBeLessThanOrEqual(LONGEST_STEP_MS[stepOf(fault)] * 1.01);
    }

    const last = host.status();
    await fault.end(emulator);
    // What only a person can mend is tried as soon as that person has given other base credentials.
    if (stepOf(fault) === "person") host.writeBaseCredentials(BASE_KEY);
    const after = await host.waitForStatus(({ state }) => state === "fresh", "recovery");

    // The attempt after the one that may have been under way when the fault ended.
    expect(after.last_attempt?.number).toBeLessThanOrEqual((last?.last_attempt?.number ?? 0) + 2);
    expect(after.last_attempt?.reason).toBe(stepOf(fault) === "person" ? "asked" : "retry");
    expect(after).toMatchObject({ failures_in_a_row: 0, failure: null });
    expect(fileOf(scene)).not.toBe(good);
    expect(expiryOf(scene, fileOf(scene))).toBeGreaterThan(Date.now());
    await run.waitForLog("refresh_recovered", recovered + 1);
    const warnings = run.lines("refresh_failed").slice(told);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(new RegExp(` WARN +refresh_failed +kind=${fault.kind} `));
    idle.push(scene);
  });
});
