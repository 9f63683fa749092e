/** The stand-in agent as a whole: real processes, a real script, and the emulator over HTTP. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { TraceEvent } from "../../agent/trace.ts";
import { type EmulatedHost, startEmulatedHost } from "./emulated-host.ts";

/** An hour in a minute: a long poll is held for a second. */
const TIME_FACTOR = 60;

let host: EmulatedHost | undefined;
afterEach(async () => {
  if (host) endApplication(host.directory);
  await host?.close();
  host = undefined;
});

const applicationPidFile = (directory: string) => join(directory, "application.pid");

/** A deployment that leaves an application behind and lasts until the test releases it, or is over. */
function heldDeployment(directory: string) {
  const release = join(directory, "release");
  return {
    release: () => writeFileSync(release, ""),
    applicationPid: () => Number(readFileSync(applicationPidFile(directory), "utf8")),
    script: [
      "setsid sleep 600 >/dev/null 2>&1 &",
      `echo $! > ${applicationPidFile(directory)}`,
      `while [ -d ${directory} ] && [ ! -e ${release} ]; do sleep 0.05; done`,
    ].join("\n"),
  };
}

function endApplication(directory: string): void {
  if (!existsSync(applicationPidFile(directory))) return;
  try {
    process.kill(Number(readFileSync(applicationPidFile(directory), "utf8")), "SIGKILL");
  } catch {
    // It did not survive; the test has said so.
  }
}

const isRunning = (pid: number) => existsSync(`/proc/${pid}`);
const commandLine = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", "");
const startedAfter = (workerPid: number) => (event: TraceEvent) =>
  event.kind === "credentials_read" && event.pid !== workerPid;

test("a worker told to stop finishes its event, and its successor takes the next one", async () => {
  host = await startEmulatedHost(TIME_FACTOR, "written");
  const { agent, emulator, sessionArn } = host;
  const deployment = heldDeployment(host.directory);
  const first = emulator.events.queue({ hostIdentifier: sessionArn, script: deployment.script });
  const started = await agent.waitForTrace((event) => event.kind === "event_started");
  const trackingFile = join(agent.paths.trackingDir, first.deploymentId);
  expect(readFileSync(trackingFile, "utf8")).toBe(first.id);

  const worker = started.pid;
  expect(agent.workerPid()).toBe(worker);
  process.kill(worker, "SIGTERM");
  await agent.waitForTrace((event) => event.kind === "shutdown");
  const second = emulator.events.queue({ hostIdentifier: sessionArn, script: "true" });
  expect(emulator.events.get(first.id)?.state).toBe("acknowledged");
  deployment.release();

  expect((await emulator.events.waitFor(first.id)).state).toBe("succeeded");
  const application = deployment.applicationPid();
  await agent.waitForTrace(startedAfter(worker));
  expect((await emulator.events.waitFor(second.id)).state).toBe("succeeded");
  expect(isRunning(worker)).toBe(false);
  expect(isRunning(application)).toBe(true);
  expect(existsSync(trackingFile)).toBe(false);
});

test("an event whose worker was killed is reported as failed by the next one", async () => {
  host = await startEmulatedHost(TIME_FACTOR, "written");
  const { agent, emulator, sessionArn } = host;
  const deployment = heldDeployment(host.directory);
  const event = emulator.events.queue({ hostIdentifier: sessionArn, script: deployment.script });
  const started = await agent.waitForTrace(({ kind }) => kind === "event_started");

  process.kill(started.pid, "SIGKILL");
  await agent.waitForTrace(({ kind }) => kind === "leftover_reported");
  deployment.release();
  expect((await emulator.events.waitFor(event.id)).state).toBe("failed");
  expect(existsSync(agent.paths.trackingDir)).toBe(false);
});

test("a script that fails is reported as failed, with the end of its output", async () => {
  host = await startEmulatedHost(TIME_FACTOR, "written");
  const { emulator, sessionArn } = host;
  const { id } = emulator.events.queue({ hostIdentifier: sessionArn, script: "echo no such bundle; exit 3" });
  const event = await emulator.events.waitFor(id);
  expect(event.state).toBe("failed");
  expect(event.diagnostics).toContain("no such bundle");
});

test("credentials that the service refuses as expired are read again at once", async () => {
  host = await startEmulatedHost(TIME_FACTOR, "written");
  const { agent } = host;
  const before = await agent.waitForTrace((event) => event.kind === "poll_ok");
  const renewed = await host.issue();
  await host.write(renewed);
  for (const { accessKeyId } of host.emulator.sessions.list()) {
    if (accessKeyId !== renewed.credentials.accessKeyId) host.expire(accessKeyId);
  }
  const after = await agent.waitForTrace(
    (event) => event.kind === "poll_ok" && event.accessKeyId === renewed.credentials.accessKeyId,
  );
  expect(after.pid).toBe(before.pid);
  expect(agent.trace()).toContainEqual(
    expect.objectContaining({ kind: "poll_error", code: "ExpiredTokenException", retrying: true }),
  );
  expect(agent.trace()).toContainEqual(
    expect.objectContaining({ kind: "credentials_read", reason: "refused" }),
  );
});

test("a worker without a credentials file dies and is replaced until there is one", async () => {
  host = await startEmulatedHost(TIME_FACTOR, "missing");
  const { agent } = host;
  await agent.waitForTrace((event) => event.kind === "worker_failed");
  await host.write(await host.issue());
  await agent.waitForTrace((event) => event.kind === "poll_ok");
});

test("master and worker carry the original's titles, and end together", async () => {
  host = await startEmulatedHost(TIME_FACTOR, "written");
  const { agent } = host;
  const { pid: worker } = await agent.waitForTrace((event) => event.kind === "poll");
  expect(commandLine(agent.masterPid)).toBe(`codedeploy-agent: master ${agent.masterPid}`);
  expect(commandLine(worker)).toBe(
    `codedeploy-agent: InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller of master ${agent.masterPid}`,
  );
  expect(readFileSync(agent.paths.pidFile, "utf8").trim()).toBe(String(agent.masterPid));
  await agent.stop();
  expect(isRunning(worker)).toBe(false);
  expect(existsSync(agent.paths.pidFile)).toBe(false);
});
