/**
 * Is the model of the agent like the agent? The same hours, with the same files and the same signals at the same
 * moments, for the model and for the stand-in agent in real processes at a raised clock: both must have read the same
 * files for the same reasons, in the same order.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { startAgent } from "../../agent/launch.ts";
import { startEmulator } from "../../aws-emulator/emulator.ts";
import { COMPILE_CACHE, ScratchHost, SERIAL, SESSION_ARN } from "../../harness/scratch-host.ts";
import { AGENT_CONFIG, Agent, type AgentHost } from "./agent.ts";
import { Disk } from "./disk.ts";
import { Random } from "./random.ts";
import { Sts } from "./sts.ts";
import { VirtualTime } from "./virtual-time.ts";

const FACTOR = 150;
/** An action this near to a moment at which the agent reads could fall on either side of it. In agent's seconds. */
const CLEARANCE_S = 150;
const LONGEST_PAUSE_S = 170;
const REREAD_AFTER_S = 1_501;
const FILE = "/credentials/file";
const POLL_S = 60;

interface Action {
  /** Seconds since the agent's start, by its own clock. */
  atS: number;
  /** A new file, or SIGTERM to the worker. */
  kind: "write" | "terminate";
}

/** For each read its reason and the number of the file that was read. */
type Reads = string[];

export interface AgentCheck {
  model: Reads;
  standIn: Reads;
  /** The machine was too busy for a raised clock: what was read when says nothing about the model. */
  wasDisturbed: boolean;
}

/** Half of what lies between an action and the nearest read. */
const LARGEST_LAG_MS = (CLEARANCE_S * 1_000) / FACTOR / 2;
const LAG_SAMPLED_EVERY_MS = 50;
const LATE_READ_LIMIT_MS = 30_000;

/** @param seed draws the actions; as many draws as it takes until none is too near to a read */
export async function compareAgents(seed: number, hours: number): Promise<AgentCheck> {
  for (let draw = 0; ; draw += 1) {
    const actions = drawActions(new Random(seed * 1_000 + draw), hours);
    if (!actions.some(({ kind }) => kind === "terminate")) continue;
    const { reads, areClear } = await modelReads(actions, hours);
    if (!areClear) continue;
    const stopWatching = watchLag();
    const standIn = await standInReads(actions, hours, reads.length);
    return { model: reads, standIn, wasDisturbed: stopWatching() > LARGEST_LAG_MS };
  }
}

/** @returns what ends the watch, and tells the longest that this process was kept waiting, in milliseconds */
function watchLag(): () => number {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - LAG_SAMPLED_EVERY_MS);
    last = now;
  }, LAG_SAMPLED_EVERY_MS);
  return () => {
    clearInterval(timer);
    return longest;
  };
}

function drawActions(random: Random, hours: number): Action[] {
  const actions: Action[] = [];
  for (let atS = random.between(200, 1_800); atS < hours * 3_600; atS += 1_800) {
    actions.push({ atS, kind: "write" });
    if (random.chance(0.4)) actions.push({ atS: atS + random.between(200, 1_500), kind: "terminate" });
  }
  return actions.filter(({ atS }) => atS < hours * 3_600).sort((one, other) => one.atS - other.atS);
}

async function modelReads(actions: readonly Action[], hours: number) {
  const reads: Reads = [];
  const readAtS: number[] = [];
  const time = new VirtualTime(0);
  const disk = new Disk(() => time.now);
  for (const directory of [AGENT_CONFIG, FILE, "/opt/codedeploy-agent/state/.pid/x"]) {
    disk.makeDirectory(directory.slice(0, directory.lastIndexOf("/")));
  }
  const random = new Random(1);
  const sts = new Sts(time, random);
  let pids = 0;
  const host: AgentHost = {
    time,
    disk,
    sts,
    random,
    get wallMs() {
      return time.now;
    },
    get bootMs() {
      return time.now;
    },
    newPid: () => {
      pids += 1;
      return pids;
    },
  };
  let file = -1;
  const write = () => {
    file += 1;
    const reply = sts.assumeRole(12 * 3_600_000, time.now);
    if (reply.kind === "session") disk.put(FILE, `aws_session_token = ${reply.session.token}\n`);
  };
  const agent = new Agent(host, {
    polled: () => undefined,
    eventEnded: () => undefined,
    processesKilled: () => undefined,
    fileRead: (reason) => {
      reads.push(`${reason} ${file}`);
      readAtS.push(time.now / 1_000);
    },
  });
  write();
  disk.put(AGENT_CONFIG, `region: ap-northeast-2\naws_credentials_file: ${FILE}\n`);
  agent.start();
  for (const { atS, kind } of actions) {
    time.at(atS * 1_000, () => (kind === "write" ? write() : agent.terminateWorker()));
  }
  await time.runUntil(hours * 3_600_000);
  const areClear = [...actions.map(({ atS }) => atS), hours * 3_600].every((atS) => {
    const before = readAtS.filter((readS) => readS <= atS).at(-1) ?? 0;
    const sinceS = atS - before;
    // Neither just after a read, nor when the next one may have been made or not.
    return sinceS > CLEARANCE_S && !isNear(sinceS);
  });
  return { reads, areClear };
}

function isNear(sinceReadS: number): boolean {
  return (
    sinceReadS > REREAD_AFTER_S - CLEARANCE_S && sinceReadS < REREAD_AFTER_S + LONGEST_PAUSE_S + CLEARANCE_S
  );
}

/** @param expected how many reads are waited for, where the last ones are late: a process takes its time to start */
async function standInReads(actions: readonly Action[], hours: number, expected: number): Promise<Reads> {
  const emulator = await startEmulator();
  emulator.settings.change({ pollHoldMs: (POLL_S * 1_000) / FACTOR });
  emulator.instances.put({ name: SERIAL, region: "ap-northeast-2", iamSessionArn: SESSION_ARN });
  const host = new ScratchHost({ endpoint: emulator.url, timeFactor: FACTOR });
  try {
    const files = await makeFiles(host, 1 + actions.filter(({ kind }) => kind === "write").length);
    await host.command("sync-agent");
    let file = -1;
    const write = () => {
      file += 1;
      writeFileSync(`${host.credentialsFile}.next`, files[file] ?? "", { mode: 0o600 });
      renameSync(`${host.credentialsFile}.next`, host.credentialsFile);
    };
    write();
    const agent = await startAgent({
      directory: host.agentDirectory,
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE },
      endpoint: emulator.url,
      timeFactor: FACTOR,
    });
    try {
      await agent.waitForTrace(({ kind }) => kind === "credentials_read");
      const started = performance.now();
      const until = (atS: number) =>
        sleep(Math.max((atS * 1_000) / FACTOR - (performance.now() - started), 0));
      for (const { atS, kind } of actions) {
        await until(atS);
        if (kind === "write") write();
        else {
          const pid = agent.workerPid();
          if (pid !== undefined) process.kill(pid, "SIGTERM");
        }
      }
      await until(hours * 3_600);
      const patience = performance.now() + LATE_READ_LIMIT_MS;
      const count = () => agent.trace().filter(({ kind }) => kind === "credentials_read").length;
      while (count() < expected && performance.now() < patience) await sleep(20);
      const keys = files.map((text) => /^aws_access_key_id = (\S+)$/m.exec(text)?.[1]);
      return agent
        .trace()
        .flatMap((event) =>
          event.kind === "credentials_read" ? [`${event.reason} ${keys.indexOf(event.accessKeyId)}`] : [],
        );
    } finally {
      await agent.stop();
    }
  } finally {
    await host.close();
    await emulator.close();
  }
}

/** @returns as many credentials files, each with a session of its own */
async function makeFiles(host: ScratchHost, count: number): Promise<string[]> {
  const files: string[] = [];
  while (files.length < count) {
    const { code, stderr } = await host.command("refresh");
    if (code !== 0) throw new Error(stderr);
    files.push(readFileSync(host.credentialsFile, "utf8"));
  }
  return files;
}
