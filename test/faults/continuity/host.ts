/** The virtual host: its clocks, power, disk, agent and systemd, as the replaced modules find them. */
import { Agent, type AgentEvents } from "./agent.ts";
import { Disk } from "./disk.ts";
import type { Random } from "./random.ts";
import { Sts } from "./sts.ts";
import { asRunning } from "./virtual-process.ts";
import { VirtualTime } from "./virtual-time.ts";

const BOOT_ID = "/proc/sys/kernel/random/boot_id";
const DIRECTORIES = [
  "/etc/idc-codedeploy-helper",
  "/etc/codedeploy-agent/conf",
  "/opt/codedeploy-agent/state/.pid",
  "/proc/sys/kernel/random",
  "/run/idc-codedeploy-helper",
  "/run/idc-codedeploy-helper-agent",
  "/run/idc-codedeploy-helper-agent/requests",
  "/var/lib/idc-codedeploy-helper",
];

export interface HostEvents extends AgentEvents {
  /** Somebody asks systemd to reload or restart the agent, which `act` does. */
  agentTouched(verb: "reload" | "restart", act: () => void): void;
  fileChanged(directory: string, name: string): void;
  steppedBack(byMs: number): void;
}

export class VirtualHost {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly disk: Disk;
  readonly sts: Sts;
  readonly agent: Agent;
  readonly #events: HostEvents;
  /** How much faster its oscillator runs than true time. */
  readonly #drift: number;
  readonly #start: number;
  #wallOffsetMs = 0;
  #bootedAt: number;
  #bootAwake: number;
  #boots = 0;
  #pids = 100;
  #watchers = new Set<{ directory: string; tell: (name: string) => void }>();
  #onChanged: (() => void) | null = null;
  #power: "on" | "asleep" | "off" = "off";
  /** Somebody has written a wrong config for the program under test, and not seen it yet. */
  isConfigWrong = false;

  /** @param drift such as 100e-6 for a clock that gains 100 microseconds a second */
  constructor(start: number, random: Random, drift: number, events: HostEvents) {
    this.time = new VirtualTime(start);
    this.random = random;
    this.#drift = drift;
    this.#start = start;
    this.#bootedAt = start;
    this.#bootAwake = 0;
    this.#events = events;
    this.disk = new Disk(() => this.wallMs);
    this.disk.onChange = (directory, name) => {
      events.fileChanged(directory, name);
      this.#changed();
      for (const watcher of this.#watchers) if (watcher.directory === directory) watcher.tell(name);
    };
    for (const directory of DIRECTORIES) this.disk.makeDirectory(directory);
    this.sts = new Sts(this.time, random);
    this.agent = new Agent(this, events);
  }

  get power(): "on" | "asleep" | "off" {
    return this.#power;
  }

  get wallMs(): number {
    return Math.floor(this.time.now + this.#wallOffsetMs + (this.time.now - this.#start) * this.#drift);
  }

  get bootMs(): number {
    return (this.time.now - this.#bootedAt) * (1 + this.#drift);
  }

  get awakeMs(): number {
    return (this.time.awake - this.#bootAwake) * (1 + this.#drift);
  }

  newPid(): number {
    this.#pids += 1;
    return this.#pids;
  }

  /** Calls once, when something has happened to the host that a look at it could tell. */
  onceChanged(tell: () => void): void {
    this.#onChanged = asRunning(tell);
  }

  #changed(): void {
    const tell = this.#onChanged;
    this.#onChanged = null;
    tell?.();
  }

  stepClock(byMs: number): void {
    if (byMs < 0) this.#events.steppedBack(-byMs);
    this.#wallOffsetMs += byMs;
    this.#changed();
  }

  /** chrony has come: what it is off by is mended at once. */
  correctClock(): void {
    this.stepClock(-(this.time.now - this.#start) * this.#drift - this.#wallOffsetMs);
  }

  get wallErrorMs(): number {
    return this.wallMs - this.time.now;
  }

  boot(): void {
    this.#power = "on";
    this.#bootedAt = this.time.now;
    this.#bootAwake = this.time.awake;
    this.#boots += 1;
    this.disk.put(BOOT_ID, `boot-${this.#boots}\n`);
  }

  /** Whoever lives on it is to be killed by its keeper. */
  powerOff(): void {
    this.time.wake();
    this.#power = "off";
    this.agent.lose();
    this.disk.forgetMemory();
    this.#watchers.clear();
  }

  suspend(): void {
    if (this.#power !== "on") return;
    this.#power = "asleep";
    this.time.sleep();
  }

  resume(): void {
    if (this.#power !== "asleep") return;
    this.#power = "on";
    this.time.wake();
    this.#changed();
  }

  /** @returns what ends the watch */
  watch(directory: string, tell: (name: string) => void): () => void {
    const watcher = { directory, tell };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  reloadAgent(): void {
    this.#events.agentTouched("reload", () => this.agent.terminateWorker());
  }

  restartAgent(): void {
    this.#events.agentTouched("restart", () => this.agent.restart());
  }
}

/** The one that the replaced modules stand for: a trace is simulated after the other. */
export let host: VirtualHost;

export function inhabit(next: VirtualHost): void {
  host = next;
}
