/**
 * A model of the CodeDeploy agent 1.8.1 (FACTS, "The CodeDeploy agent"): master and worker, its long polls, when it
 * reads its credentials file again, what a graceful end does, and its lifecycle events.
 *
 * Harsher than the real one in one point: after a refused poll the Ruby SDK reads the file anew and tries once more;
 * this one holds on to what it has until its own time to read comes.
 */
import type { Disk } from "./disk.ts";
import type { Random } from "./random.ts";
import type { Session, Sts } from "./sts.ts";
import type { Timer, VirtualTime } from "./virtual-time.ts";

export const AGENT_CONFIG = "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml";
export const TRACKING = "/opt/codedeploy-agent/deployment-root/ongoing-deployment";
export const PID_FILE = "/opt/codedeploy-agent/state/.pid/codedeploy-agent.pid";

/** What it read counts as good for 1,800 s, and it reads again once fewer than 300 s are left: by whole seconds. */
const REREAD_AFTER_S = 1_501;
/** Between two polls: one that is cut, and the longest pause after an error. */
const LONGEST_POLL_MS = 170_000;
const NEXT_WORKER_MS = 5_000;
const TRACKED_FOR_MS = 24 * 3_600_000;

export interface AgentHost {
  time: VirtualTime;
  disk: Disk;
  sts: Sts;
  random: Random;
  readonly wallMs: number;
  readonly bootMs: number;
  /** A process id that no other process has had. */
  newPid(): number;
}

/** What the simulation wants to know of it. */
export interface AgentEvents {
  polled(outcome: "good" | "expired" | "failed"): void;
  eventEnded(outcome: "succeeded" | "failed-by-crash" | "killed" | "not-reported"): void;
  processesKilled(count: number): void;
  /** Its credentials file, as the stand-in agent's trace has it. */
  fileRead?(reason: "start" | "near_expiry"): void;
}

interface Worker {
  pid: number;
  startTicks: number;
  startedAt: number;
  held: Session | null;
  /** By the wall clock, in whole seconds. */
  readAtS: number;
  config: string;
  /** Its config names a region in which AWS knows no such host. */
  isElsewhere: boolean;
  /** Of the file that it was read from. */
  configInode: number;
  isLeaving: boolean;
  isPolling: boolean;
  timer: Timer | null;
}

interface LifecycleEvent {
  file: string;
  endsIn: Timer;
  background: number;
}

export class Agent {
  readonly #host: AgentHost;
  readonly #events: AgentEvents;
  /** The unit's state; a master that has crashed is not started again by systemd. */
  state: "running" | "stopped" | "failed" = "stopped";
  masterPid = 0;
  #masterTicks = 0;
  #worker: Worker | null = null;
  #successor: Timer | null = null;
  #event: LifecycleEvent | null = null;
  /** What deployments have left in its control group. */
  #background = 0;
  #deployments: { durationMs: number; background: number }[] = [];
  #number = 0;

  constructor(host: AgentHost, events: AgentEvents) {
    this.#host = host;
    this.#events = events;
  }

  get master(): { pid: number; startTicks: number } | null {
    return this.state === "running" ? { pid: this.masterPid, startTicks: this.#masterTicks } : null;
  }

  get worker(): Readonly<Worker> | null {
    return this.#worker;
  }

  get hasEvent(): boolean {
    return this.#event !== null;
  }

  /** How many processes its control group holds. */
  get groupPids(): number[] {
    const own = [this.masterPid, ...(this.#worker ? [this.#worker.pid] : [])];
    const deployed = this.#background + (this.#event ? 1 : 0);
    return this.state === "running" || deployed > 0
      ? [...own, ...Array.from({ length: deployed }, (_, index) => 900_000 + index)]
      : [];
  }

  /** Whether it would come to poll with an expired credential if it were left alone: what only a simulator knows. */
  get wouldLapse(): boolean {
    const worker = this.#worker;
    if (worker === null || worker.held === null) return true;
    const dueInS = worker.readAtS + REREAD_AFTER_S - Math.floor(this.#host.wallMs / 1_000);
    return worker.held.expiresAt < this.#host.time.now + Math.max(dueInS, 0) * 1_000 + LONGEST_POLL_MS;
  }

  start(): void {
    if (this.state === "running") return;
    this.state = "running";
    this.masterPid = this.#host.newPid();
    this.#masterTicks = this.#ticks();
    this.#host.disk.put(PID_FILE, `${this.masterPid}\n`);
    this.#startWorker();
  }

  /** `systemctl stop` or a crash of the master: systemd kills the whole control group. */
  stop(state: "stopped" | "failed" = "stopped"): void {
    if (this.state !== "running") return;
    this.#killGroup();
    this.state = state;
  }

  /** The power goes: nobody is told anything. */
  lose(): void {
    this.#worker?.timer?.cancel();
    this.#worker = null;
    this.#successor?.cancel();
    this.#event?.endsIn.cancel();
    this.#event = null;
    this.#background = 0;
    this.state = "stopped";
  }

  restart(): void {
    this.stop();
    this.start();
  }

  /** SIGTERM to the worker: it finishes the poll and the event in hand, and its master replaces it. */
  terminateWorker(): void {
    const worker = this.#worker;
    if (worker === null) return;
    worker.isLeaving = true;
    if (!worker.isPolling) this.#leaveIfDone(worker);
  }

  /** A bug of its own. */
  crashWorker(): void {
    if (this.#worker === null) return;
    if (this.#event !== null) {
      this.#event.endsIn.cancel();
      this.#background += this.#event.background;
      this.#event = null;
      // Its file stays, and the next worker reports the event as failed.
    }
    this.#endWorker();
  }

  /** AWS hands it out with the next poll that succeeds. */
  deploy(durationMs: number, background: number): void {
    this.#deployments.push({ durationMs, background });
  }

  #killGroup(): void {
    if (this.#event !== null) {
      this.#event.endsIn.cancel();
      this.#event = null;
      this.#events.eventEnded("killed");
    }
    if (this.#background > 0) this.#events.processesKilled(this.#background);
    this.#background = 0;
    this.#successor?.cancel();
    this.#worker?.timer?.cancel();
    this.#worker = null;
  }

  #startWorker(): void {
    const { disk, time } = this.#host;
    const config = disk.find(AGENT_CONFIG)?.content.toString("utf8") ?? "";
    const held = this.#readFile(config);
    if (held === undefined) {
      // It raises for want of a file or of a profile, and its master tries again.
      this.#successor = time.after(NEXT_WORKER_MS, () => this.#startWorker());
      return;
    }
    this.#worker = {
      pid: this.#host.newPid(),
      startTicks: this.#ticks(),
      startedAt: this.#host.time.now,
      held,
      readAtS: Math.floor(this.#host.wallMs / 1_000),
      config,
      isElsewhere: !/^region: "?ap-northeast-2"?$/m.test(config),
      configInode: disk.find(AGENT_CONFIG)?.inode ?? 0,
      isLeaving: false,
      isPolling: false,
      timer: null,
    };
    this.#events.fileRead?.("start");
    this.#recoverFromCrash(held);
    const worker = this.#worker;
    worker.timer = time.after(1_000, () => this.#poll(worker));
  }

  /**
   * A tracking file that is younger than a day is an event that a dead worker has left: reported as failed, and removed
   * once AWS has taken the report.
   */
  #recoverFromCrash(held: Session | null): void {
    const { disk, wallMs, sts, time } = this.#host;
    if (held === null || held.expiresAt <= time.now || sts.isNetworkDown) return;
    for (const name of disk.hasDirectory(TRACKING) ? disk.list(TRACKING) : []) {
      const path = `${TRACKING}/${name}`;
      if (wallMs - disk.get(path).mtimeMs >= TRACKED_FOR_MS) continue;
      if (this.#event?.file === path) continue;
      disk.remove(path);
      this.#events.eventEnded("failed-by-crash");
    }
  }

  #poll(worker: Worker): void {
    const { time, random, sts, disk } = this.#host;
    if (worker.isLeaving) {
      this.#leaveIfDone(worker);
      return;
    }
    const nowS = Math.floor(this.#host.wallMs / 1_000);
    if (nowS - worker.readAtS >= REREAD_AFTER_S) {
      const read = this.#readFile(worker.config);
      if (read !== undefined) {
        worker.held = read;
        worker.readAtS = nowS;
        this.#events.fileRead?.("near_expiry");
      }
    }
    const isExpired = worker.held === null || worker.held.expiresAt <= time.now;
    if (sts.isNetworkDown || isExpired || worker.isElsewhere) {
      this.#events.polled(sts.isNetworkDown || !isExpired ? "failed" : "expired");
      worker.timer = time.after(random.between(30_000, 90_000), () => this.#poll(worker));
      return;
    }
    this.#events.polled("good");
    worker.isPolling = true;
    const deployment = this.#event === null ? this.#deployments.shift() : undefined;
    if (deployment !== undefined) {
      this.#number += 1;
      const file = `${TRACKING}/d-${this.#number}`;
      disk.makeDirectory(TRACKING);
      disk.put(file, "{}");
      const endsIn = time.after(deployment.durationMs, () => this.#endEvent());
      this.#event = { file, endsIn, background: deployment.background };
    }
    const pollMs = deployment === undefined ? random.between(58_000, 66_000) : 2_000;
    worker.timer = time.after(pollMs, () => {
      worker.isPolling = false;
      this.#poll(worker);
    });
  }

  #endEvent(): void {
    const event = this.#event;
    if (event === null) return;
    this.#event = null;
    this.#background += event.background;
    const { disk, time } = this.#host;
    const worker = this.#worker;
    const canReport = worker !== null && worker.held !== null && worker.held.expiresAt > time.now;
    this.#events.eventEnded(canReport ? "succeeded" : "not-reported");
    if (disk.find(event.file)) disk.remove(event.file);
    if (worker?.isLeaving && !worker.isPolling) this.#leaveIfDone(worker);
  }

  #leaveIfDone(worker: Worker): void {
    if (worker === this.#worker && this.#event === null) this.#endWorker();
  }

  #endWorker(): void {
    this.#worker?.timer?.cancel();
    this.#worker = null;
    this.#successor?.cancel();
    this.#successor = this.#host.time.after(NEXT_WORKER_MS, () => this.#startWorker());
  }

  /** @returns undefined when it would raise; null for credentials that nobody ever issued */
  #readFile(config: string): Session | null | undefined {
    const path = /^aws_credentials_file: *"?([^"\n]+?)"?$/m.exec(config)?.[1];
    const text = path === undefined ? undefined : this.#host.disk.find(path)?.content.toString("utf8");
    const token = text === undefined ? undefined : /^aws_session_token = (\S+)$/m.exec(text)?.[1];
    return token === undefined ? undefined : (this.#host.sts.session(token) ?? null);
  }

  #ticks(): number {
    return Math.floor(this.#host.bootMs / 10);
  }
}
