/** One `run` through thousands of refreshes, and what it holds at the beginning and at the end. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startEmulator } from "../../aws-emulator/emulator.ts";
import { openJournalSocket } from "../../harness/journal-socket.ts";
import { launchRun } from "../../harness/launch.ts";
import { ScratchHost } from "../../harness/scratch-host.ts";
import { Random } from "../continuity/random.ts";
import { Disturbances } from "./disturbances.ts";
import { drawFate, type Shares } from "./fates.ts";
import { INSPECTOR_OPTION, Inspector } from "./inspector.ts";
import { Installation } from "./installation.ts";
import { Oneshot } from "./oneshot.ts";
import { type Held, heldAtRest, privateMemoryKiB } from "./process-measures.ts";
import { RefreshDoor } from "./refresh-door.ts";

export interface LifeOptions extends Shares {
  /** How many refreshes it is to live through. */
  refreshes: number;
  /** Ends before these, when this much real time has passed. */
  limitMs: number;
  /** So many refreshes before anything is compared. */
  warmUp: number;
  /** How likely a disturbance is with each refresh. */
  disturbances: number;
  seed: number;
  directory: string;
  signal: AbortSignal;
}

export interface Sample {
  refresh: number;
  memoryKiB: number;
}

export interface Life {
  refreshes: number;
  real: number;
  faults: ReadonlyMap<string, number>;
  disturbances: ReadonlyMap<string, number>;
  answers: number;
  seconds: number;
  samples: Sample[];
  before: Held;
  after: Held;
  /** What keeps its event loop alive at the end, by kind. */
  resources: string[];
  /** After its end: names in the state and runtime directories. */
  files: string[];
  events: ReadonlyMap<string, number>;
  stopped: number | NodeJS.Signals | null;
}

/** A minute of the schedule: as dense as a refresh through child.sh can be. */
export const TIME_FACTOR = 1_000;
/** A request that hangs costs half a second. */
const CONFIG = `session_duration: 1h
schedule: "* * * * *"
splay: 0
network: { connect_timeout: 500ms, request_timeout: 500ms }
log: { format: journal }
`;
const SAMPLE_EVERY = 10;
const LOOK_EVERY_MS = 50;
const STALLED_MS = 60_000;

export async function live(options: LifeOptions): Promise<Life> {
  const { refreshes, limitMs, warmUp, seed, directory, signal } = options;
  const random = {
    fates: new Random(seed),
    disturbances: new Random(seed + 1),
    answers: new Random(seed + 2),
  };
  const emulator = await startEmulator({ timeFactor: TIME_FACTOR });
  const host = new ScratchHost({
    endpoint: emulator.url,
    timeFactor: TIME_FACTOR,
    config: CONFIG,
    parent: directory,
  });
  const journal = openJournalSocket(host.directory);
  const oneshot = new Oneshot(host.agentRuntimeDir, random.answers);
  const samples: Sample[] = [];
  const installation = new Installation(join(directory, "installation"));
  const run = launchRun({
    program: installation.command,
    args: ["run", "--config", host.configFile],
    // As systemd starts it: nothing is compiled, and no code comes from a cache of the tests.
    env: { ...host.env, NODE_COMPILE_CACHE: undefined, NODE_OPTIONS: `--jitless ${INSPECTOR_OPTION}` },
    prefix: journal.prefix,
  });
  const disturbances = new Disturbances({ host, pid: run.pid }, random.disturbances);
  const door = await RefreshDoor.open({
    emulator,
    env: host.env,
    fateOf: (number) => drawFate(number, random.fates, options),
    onBegin: (number) => {
      if (number % SAMPLE_EVERY === 0)
        samples.push({ refresh: number, memoryKiB: privateMemoryKiB(run.pid) });
      // The emulator keeps each request for tests that look at them.
      emulator.requests.clear();
      disturbances.perhaps(options.disturbances);
    },
  });
  const began = performance.now();
  const reach = async (goal: number) => {
    let [last, movedAt] = [door.begun, performance.now()];
    while (door.begun < goal && performance.now() - began < limitMs && !signal.aborted) {
      await sleep(LOOK_EVERY_MS);
      door.check();
      if (run.process.exitCode !== null || run.process.signalCode !== null)
        throw new Error(`run ended by itself after ${door.begun} refreshes: ${run.log().slice(-2_000)}`);
      if (door.begun !== last) [last, movedAt] = [door.begun, performance.now()];
      if (performance.now() - movedAt > STALLED_MS)
        throw new Error(`run stands still after ${door.begun} refreshes: ${JSON.stringify(host.status())}`);
    }
  };
  try {
    await journal.waitFor("refresh_succeeded");
    installation.exchangeNode(door.port);
    await reach(warmUp);
    const before = await heldAtRest(run.pid);
    await reach(refreshes);
    const seconds = (performance.now() - began) / 1_000;
    const [begun, real] = [door.begun, door.real];
    const after = await heldAtRest(run.pid);
    const resources = await restingResources(run);
    const stopped = await run.stop();
    const events = new Map<string, number>();
    for (const event of journal.events()) events.set(event, (events.get(event) ?? 0) + 1);
    return {
      refreshes: begun,
      real,
      faults: door.faults,
      disturbances: disturbances.counts,
      answers: oneshot.answers,
      seconds,
      samples,
      before,
      after,
      resources,
      files: filesOf(host),
      events,
      stopped,
    };
  } finally {
    await run.stop();
    oneshot.close();
    await door.close();
    journal.close();
    await host.close();
    await emulator.close();
  }
}

const LOOKS = 200;

/** The fewest that are seen: between two refreshes. */
async function restingResources(run: Parameters<typeof Inspector.open>[0]): Promise<string[]> {
  const inspector = await Inspector.open(run);
  try {
    let least: string[] | null = null;
    for (let look = 0; look < LOOKS; look += 1) {
      const seen = await inspector.evaluate<string[]>("process.getActiveResourcesInfo()");
      if (least === null || seen.length < least.length) least = seen;
      await sleep(5);
    }
    return (least ?? []).sort();
  } finally {
    inspector.close();
  }
}

function filesOf({ stateDir, runtimeDir, agentRuntimeDir }: ScratchHost): string[] {
  return [stateDir, runtimeDir, agentRuntimeDir].flatMap((directory) =>
    readdirSync(directory, { recursive: true, encoding: "utf8" }),
  );
}
