/**
 * `make demo`: the whole thing on this machine, unprivileged, without an AWS account and without systemd: our
 * packaged command, an emulated AWS and a stand-in CodeDeploy agent, all real processes. An hour passes in a
 * minute. It waits for what it announces, and fails when that does not come.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { formatDuration } from "../../src/config/duration.ts";
import { type RunningAgent, startAgent } from "../agent/launch.ts";
import { startEmulator } from "../aws-emulator/emulator.ts";
import { eventually } from "../harness/eventually.ts";
import { ScratchHost, SERIAL, SESSION_ARN } from "../harness/scratch-host.ts";
import { Narrator } from "./narrator.ts";

/** FACTS: by then the agent has surely read a new file. */
const PICKUP_WINDOW_MS = 28 * 60_000;
const FACTOR = 60;

const say = new Narrator(FACTOR);
const firstTickMs = Date.now() + 6_000;
const emulator = await startEmulator({ timeFactor: FACTOR });
emulator.instances.put({ name: SERIAL, region: "ap-northeast-2", iamSessionArn: SESSION_ARN });
const host = new ScratchHost({ endpoint: emulator.url, timeFactor: FACTOR, config: schedule(firstTickMs) });
/** What is to be ended besides host and emulator, once it runs. */
const started: RunningAgent[] = [];
// Whoever reads along may stop reading (`| head`): the demo then ends in good order, as it does on Ctrl-C.
process.stdout.on("error", () => undefined);
const interrupted = new Promise<"interrupted">((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => resolve("interrupted"));
});
let ending: "told" | "interrupted";
try {
  ending = await Promise.race([story(), interrupted]);
  if (ending === "told" && process.env.KEEP) {
    keepRunning();
    await interrupted;
  }
} finally {
  for (const agent of started) await agent.stop();
  await host.close();
  await emulator.close();
}
process.exit(ending === "told" ? 0 : 130);

async function story(): Promise<"told"> {
  await firstRefresh();
  const agent = await startTheAgent();
  await scheduledRefresh(agent);
  await brokenConfig(agent);
  await lifecycleEvent(agent);
  await outage(agent);
  await status();
  return "told";
}

/** A schedule whose first instant is near, so that nobody waits for it. */
function schedule(firstMs: number): string {
  const minute = new Date(firstMs * FACTOR).getMinutes();
  const minutes = [minute, (minute + 30) % 60].sort((a, b) => a - b);
  return `schedule: "${minutes.join(",")} * * * *"\nsplay: 0\n`;
}

async function firstRefresh(): Promise<void> {
  say.title("A host starts: an hour passes in a minute");
  host.startPathUnit();
  host.startRun();
  await host.waitForStatus(({ state }) => state === "fresh", "the first credentials");
  say.say("helper", `first refresh: AssumeRole as ${SERIAL}, credentials written to one file, atomically`);
  const { credentials, next_refresh_at } = host.status() ?? {};
  say.say(
    "helper",
    `they last ${ahead(credentials?.expires_at)}; the next refresh is due in ${ahead(next_refresh_at)}`,
  );
  await host.waitForStatus(
    ({ agent }) => agent.config_match === "repaired" || agent.config_match === "matches",
    "the agent's config",
  );
  say.say("helper", "the agent had no on-premises config: written");
}

async function startTheAgent(): Promise<RunningAgent> {
  const agent = await startAgent({
    directory: host.agentDirectory,
    endpoint: emulator.url,
    timeFactor: FACTOR,
  });
  started.push(agent);
  await agent.waitForTrace(({ kind }) => kind === "poll_ok" || kind === "poll");
  say.say(
    "agent",
    `started (master ${agent.masterPid}); it polls CodeDeploy with our credentials (${keyInUse(agent)})`,
  );
  return agent;
}

async function scheduledRefresh(running: RunningAgent): Promise<void> {
  say.title("The schedule");
  const before = host.record()?.issuedAt;
  await eventually(
    () => host.record()?.issuedAt !== before,
    () => "no second refresh",
  );
  say.say(
    "helper",
    `refresh on schedule; the next is due in ${ahead((await settledStatus()).next_refresh_at)}`,
  );
  say.say("helper", "the agent picks the new file up by itself in time: no reload needed");
  expect(count(running, "shutdown") === 0, "the agent was reloaded although nothing asked for it");
}

async function brokenConfig(running: RunningAgent): Promise<void> {
  say.title("Somebody edits the agent's config by hand");
  const old = running.workerPid();
  const path = running.paths.onPremisesConfig;
  writeFileSync(path, readFileSync(path, "utf8").replace(/^region: .*$/m, "region: us-east-1"));
  say.say("operator", "codedeploy.onpremises.yml now says region: us-east-1");
  askForSync();
  await eventually(
    () => readFileSync(path, "utf8").includes("region: ap-northeast-2"),
    () => "the config was not mended",
  );
  say.say("helper", "mended: region us-east-1 -> ap-northeast-2; the old file is kept beside it");
  await eventually(
    () => running.workerPid() !== undefined && running.workerPid() !== old,
    () => "the agent was not reloaded",
  );
  say.say(
    "agent",
    `its worker ended gracefully and was replaced (${old} -> ${running.workerPid()}): config and credentials are loaded anew`,
  );
}

async function lifecycleEvent(running: RunningAgent): Promise<void> {
  say.title("A deployment runs while a reload is needed");
  const event = emulator.events.queue({
    hostIdentifier: SESSION_ARN,
    name: "ApplicationStart",
    script: "sleep 6\n",
  });
  await emulator.events.waitFor(event.id, ["acknowledged"]);
  await running.waitForTrace((entry) => entry.kind === "event_started");
  say.say("agent", "a lifecycle event is in progress: ApplicationStart");
  const path = running.paths.onPremisesConfig;
  writeFileSync(path, readFileSync(path, "utf8").replace(/^region: .*$/m, "region: eu-west-1"));
  askForSync();
  await host.waitForStatus(({ agent }) => agent.reload === "deferred", "a deferred reload");
  say.say("helper", "config mended again, but the reload is deferred: an event is in progress");
  const ended = await emulator.events.waitFor(event.id);
  expect(ended.state === "succeeded", `the lifecycle event ended as ${ended.state}`);
  say.say("agent", "the lifecycle event succeeded");
  await host.waitForStatus(
    ({ agent }) => agent.reload === "done" || agent.reload === "not_needed",
    "the deferred reload",
  );
  say.say("helper", "now the agent was reloaded");
}

async function outage(running: RunningAgent): Promise<void> {
  say.title("STS cannot be reached when the next refresh is due");
  const due = Date.parse(host.status()?.next_refresh_at ?? "");
  await sleep(Math.max(0, due - Date.now() - 1_000));
  await emulator.down();
  say.say("aws", "STS is down");
  await host.waitForStatus(({ failure }) => failure !== null, "the failure");
  say.say(
    "helper",
    `refresh failed (${host.status()?.failure?.kind}); the good file stays; trying again with backoff`,
  );
  // Until the agent's own next read would come too late, whenever the refresh before this one was made.
  const expires = Date.parse(host.status()?.credentials?.expires_at ?? "");
  const tooLate = Math.max(due + 200_000 / FACTOR, expires - (PICKUP_WINDOW_MS - 120_000) / FACTOR);
  await sleep(Math.max(0, tooLate - Date.now()));
  const shutdowns = count(running, "shutdown");
  await emulator.up();
  const failures = host.status()?.failures_in_a_row;
  say.say("aws", "STS is back");
  await host.waitForStatus(({ state }) => state === "fresh", "recovery");
  say.say("helper", `recovered after ${failures} failed attempts`);
  await eventually(
    () => count(running, "shutdown") > shutdowns,
    () => "the agent was not reloaded",
  );
  await running.waitForTrace((entry) => entry.kind === "poll_ok");
  say.say(
    "helper",
    "the agent was reloaded: what it held would have lapsed before it reads the file by itself",
  );
}

async function status(): Promise<void> {
  say.title("How things stand: idc-helper status (by the real clock: an hour of the demo is a minute of it)");
  await host.waitForStatus(
    ({ agent, state }) => state === "fresh" && ["done", "not_needed"].includes(agent.reload),
    "all well",
  );
  const { stdout } = await host.command("status");
  say.block(stdout);
  const expired = emulator.requests.list().filter(({ errorCode }) => errorCode === "ExpiredTokenException");
  expect(expired.length === 0, `${expired.length} polls were made with an expired credential`);
  say.title("Polls with an expired credential: 0. Lifecycle events failed: 0.");
}

function keepRunning(): void {
  say.title("It runs on until you press Ctrl-C");
  say.block(`dist/idc-helper status --config ${host.configFile}`);
}

/** The path unit also watches the agent's config; here, the demo tells it. */
function askForSync(): void {
  writeFileSync(
    `${host.agentRuntimeDir}/requests/sync`,
    JSON.stringify({ id: "config-changed", credentialsSince: null }),
  );
}

async function settledStatus() {
  return host.waitForStatus(({ last_attempt }) => last_attempt?.result === "issued", "the refresh");
}

function keyInUse(running: RunningAgent): string {
  const read = running.trace().findLast((entry) => entry.kind === "credentials_read");
  return read?.kind === "credentials_read" ? read.accessKeyId : "none";
}

function count(running: RunningAgent, kind: string): number {
  return running.trace().filter((entry) => entry.kind === kind).length;
}

/** How far ahead an instant is, as the simulated host feels it. */
function ahead(iso: string | null | undefined): string {
  return iso ? formatDuration((Date.parse(iso) - Date.now()) * FACTOR) : "?";
}

function expect(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Error(otherwise);
}
