/** Our units on the virtual host: the daemon, and root's oneshot with its path unit, all of them the real code. */
import { runSync } from "../../../src/agent/run-sync.ts";
import type { Paths } from "../../../src/config/config.ts";
import { agentRuntimeFiles, BASE_CREDENTIALS_FILE, CONFIG_FILE } from "../../../src/config/paths.ts";
import { Failure } from "../../../src/failure.ts";
import { makePlan } from "../../../src/refresher/plan.ts";
import { Supervisor } from "../../../src/refresher/supervisor.ts";
import type { Log } from "../../../src/report/log.ts";
import { AGENT_CONFIG, PID_FILE } from "./agent.ts";
import type { VirtualHost } from "./host.ts";
import { OUR_CONFIG, readOurConfig } from "./our-config.ts";
import type { Program } from "./program.ts";
import { VirtualProcess } from "./virtual-process.ts";

const RESTART_MS = 5_000;
/** ExecStopPost= of the oneshot after a failure. */
const FAILED_REST_MS = 10_000;
/** systemd starts what is ordered after a unit when that is ready, or its start has timed out. */
const START_LIMIT_MS = 90_000;

/** Nothing is logged, unless somebody wants to see why. */
const LOG: Log = (() => {
  const say = (event: string, fields?: object) => tellAll?.(`${event} ${JSON.stringify(fields ?? {})}`);
  return { debug: say, info: say, warn: say, error: say, setLevel: () => undefined } as Log;
})();

let tellAll: ((what: string) => void) | null = null;

let current: OurService;

/** Of the host that is simulated now. */
export function ourService(): OurService {
  return current;
}

export class OurService implements Program {
  readonly #host: VirtualHost;
  readonly #paths: Paths;
  #daemon: VirtualProcess | null = null;
  #supervisor: Supervisor | null = null;
  #children = new Set<VirtualProcess>();
  #oneshot: VirtualProcess | null = null;
  #restsUntil = 0;
  #isUp = false;
  /** The daemon has ended for its config file, and waits for a person. */
  #isMisconfigured = false;

  constructor(host: VirtualHost, tell: ((what: string) => void) | null = null) {
    tellAll = tell;
    this.#host = host;
    host.disk.put(BASE_CREDENTIALS_FILE, "[default]\naws_access_key_id = AKIAVIRTUAL\n");
    host.disk.put(CONFIG_FILE, OUR_CONFIG);
    this.#paths = readOurConfig(host.disk).paths;
    current = this;
  }

  boot(agentMayStart: () => void): void {
    this.#isUp = true;
    const { request } = agentRuntimeFiles(this.#paths);
    const watched = [request, AGENT_CONFIG, PID_FILE];
    for (const directory of new Set(watched.map((path) => path.slice(0, path.lastIndexOf("/"))))) {
      this.#host.watch(directory, (name) => {
        if (watched.includes(`${directory}/${name}`)) this.#startOneshot();
      });
    }
    let isStarted = false;
    const start = () => {
      if (!isStarted) agentMayStart();
      isStarted = true;
    };
    this.#host.time.after(START_LIMIT_MS, start);
    this.#startDaemon(start);
  }

  lose(): void {
    this.#isUp = false;
    this.killDaemon();
    this.#oneshot?.kill();
  }

  editConfig(text: string): void {
    this.#host.disk.put(CONFIG_FILE, text);
  }

  takeUpConfig(): void {
    if (!this.#isUp) return;
    if (this.#daemon?.isAlive) this.#daemon.run(async () => this.#supervisor?.reload());
    else if (this.#isMisconfigured) this.#startDaemon(() => undefined);
  }

  /** Belongs to the service's control group: it ends with the service. */
  adopt(child: VirtualProcess): void {
    this.#children.add(child);
  }

  killDaemon(atCall?: number): void {
    if (atCall === undefined) this.#daemon?.kill();
    else this.#daemon?.killAtCall(atCall);
  }

  killChild(atCall?: number): void {
    const child = [...this.#children].find(({ isAlive }) => isAlive);
    if (atCall === undefined) child?.kill();
    else child?.killAtCall(atCall);
  }

  killOneshot(atCall?: number): void {
    if (atCall === undefined) this.#oneshot?.kill();
    else this.#oneshot?.killAtCall(atCall);
  }

  #startDaemon(onReady: () => void): void {
    if (!this.#isUp) return;
    this.#isMisconfigured = false;
    this.#supervisor = null;
    const daemon = new VirtualProcess("run", () => {
      for (const child of this.#children) child.kill();
      this.#children.clear();
      this.#host.time.after(RESTART_MS, () => this.#startDaemon(() => undefined), { isAsync: true });
    });
    this.#daemon = daemon;
    const notifier = {
      watchdogMs: 120_000,
      send: async (...lines: string[]) => {
        if (lines.includes("READY=1")) onReady();
      },
    };
    daemon.run(async () => {
      try {
        const plan = await makePlan(CONFIG_FILE, {});
        const supervisor = await Supervisor.create({ plan, factor: 1, log: LOG, notifier, env: {} });
        this.#supervisor = supervisor;
        await supervisor.run();
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        daemon.end();
        this.#ended(error, onReady);
      }
    });
  }

  /** RestartPreventExitStatus=78: with a wrong config it stays down until a person has been there. */
  #ended({ kind }: Failure, onReady: () => void): void {
    this.#isMisconfigured = kind === "config";
    if (this.#isMisconfigured) onReady();
    else this.#host.time.after(RESTART_MS, () => this.#startDaemon(onReady), { isAsync: true });
  }

  #startOneshot(): void {
    if (this.#oneshot?.isAlive || !this.#isUp) return;
    const oneshot = new VirtualProcess("sync-agent", () => this.#oneshotEnded(FAILED_REST_MS));
    this.#oneshot = oneshot;
    const { time, random } = this.#host;
    const delay = Math.max(this.#restsUntil - time.awake, 0) + random.between(100, 600);
    time.after(
      delay,
      () =>
        oneshot.run(async () => {
          try {
            const config = readOurConfig(this.#host.disk);
            const { answer } = await runSync({ config, factor: 1, log: LOG, isUnattended: true });
            oneshot.end();
            this.#oneshotEnded(answer.reload.state === "failed" ? FAILED_REST_MS : 0);
          } catch (error) {
            if (!(error instanceof Failure)) throw error;
            oneshot.end();
            this.#oneshotEnded(FAILED_REST_MS);
          }
        }),
      { isAsync: true },
    );
  }

  /** PathExists= starts it again as long as a request lies there. */
  #oneshotEnded(restMs: number): void {
    const { time, disk } = this.#host;
    this.#restsUntil = time.awake + restMs;
    time.after(0, () => {
      if (disk.find(agentRuntimeFiles(this.#paths).request) !== undefined) this.#startOneshot();
    });
  }
}
