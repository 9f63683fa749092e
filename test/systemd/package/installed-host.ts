/** A machine that gets our package, lives with an agent, and is watched all the while. */
import type { Status } from "../../../src/report/status.ts";
import { type AgentOnHost, UNIT } from "../agent-service.ts";
import { expectEqual } from "../checks.ts";
import { DAEMON, type Host, ONESHOT, TIME_FACTOR } from "../host.ts";
import { Operator } from "../operator.ts";
import { until } from "../until.ts";
import { PACKAGE } from "./repository.ts";

export const CREDENTIALS = "/var/lib/idc-codedeploy-helper/credentials";
export const OUR_UNITS = [DAEMON, ONESHOT, "idc-codedeploy-helper-agent.path"];

const FILLER = "/var/filler";
const POLL = "PollHostCommand";
/** What the wall clock of a service is off by, in seconds with a sign: libfaketime's own format. */
const CLOCK_FILE = "/etc/test-clock";

/** In simulated time a service does not know that it is one, for the time factor is refused there. */
const UNAWARE = `/usr/bin/env -u NOTIFY_SOCKET -u STATE_DIRECTORY -u RUNTIME_DIRECTORY -u INVOCATION_ID IDC_HELPER_TIME_FACTOR=${TIME_FACTOR}`;
const SIMULATED = {
  [DAEMON]: `[Service]\nType=exec\nWatchdogSec=0\nExecStart=\nExecStart=${UNAWARE} /usr/bin/idc-helper run\n`,
  [ONESHOT]: `[Service]\nExecStart=\nExecStart=${UNAWARE} /usr/bin/idc-helper sync-agent\n`,
};
const MOVABLE_CLOCK = `[Service]
Environment=LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1
Environment=FAKETIME_TIMESTAMP_FILE=${CLOCK_FILE} FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1
`;

export class InstalledHost {
  readonly host: Host;
  readonly agent: AgentOnHost;
  readonly operator: Operator;
  #application = 0;

  constructor(host: Host, agent: AgentOnHost) {
    this.host = host;
    this.agent = agent;
    this.operator = new Operator(host);
  }

  /** As an administrator calls it. @returns what it said */
  dnf(command: string, ...args: string[]): Promise<string> {
    return this.host.machine.sh(`dnf -y ${command} ${args.join(" ")} 2>&1`);
  }

  async installedVersion(): Promise<string> {
    return this.host.machine.sh(`rpm -q --queryformat '%{VERSION}' ${PACKAGE}`);
  }

  /** A deployment that leaves an application in the background: it must live until the machine is switched off. */
  async deployApplication(): Promise<void> {
    this.#application = await this.agent.deployApplication();
  }

  /** Its processes end with the agent's service, whoever stops that. */
  forgetApplication(): void {
    this.#application = 0;
  }

  /** What must hold at any time: nothing that we did has hurt a deployment, and no poll was made with what had expired. */
  async expectNoHarm(): Promise<void> {
    const { emulator } = this.host;
    if (this.#application !== 0) {
      expectEqual(await this.agent.isAlive(this.#application), true, "whether the application lives");
    }
    const failed = emulator.events.list().filter(({ state }) => state === "failed");
    expectEqual(failed.length, 0, "the number of events that failed", JSON.stringify(failed, null, 1));
    const expired = emulator.requests
      .list()
      .filter(({ action, credentials }) => action === POLL && credentials === "expired");
    expectEqual(expired.length, 0, "the number of polls with expired credentials", JSON.stringify(expired));
  }

  /** Polls that AWS has answered, oldest first. */
  goodPolls() {
    return this.host.emulator.requests
      .list()
      .filter(({ action, credentials }) => action === POLL && credentials === "valid");
  }

  /** Waits for a session that was issued after the given moment. */
  async sessionNewerThan(moment: Date): Promise<void> {
    await until(
      async () => this.host.emulator.sessions.list().some(({ issuedAt }) => issuedAt > moment),
      async () => `no newer session:\n${await this.host.journal(DAEMON)}`,
    );
  }

  /** Waits for a poll with credentials that were issued after the given moment. */
  async pollWithNewerThan(moment: Date, limitMs?: number): Promise<void> {
    const { emulator } = this.host;
    await until(
      async () => {
        const newer = emulator.sessions.list().filter(({ issuedAt }) => issuedAt > moment);
        const keys = new Set(newer.map(({ accessKeyId }) => accessKeyId));
        return this.goodPolls().some(({ accessKeyId }) => keys.has(accessKeyId ?? ""));
      },
      async () =>
        `no poll with credentials from after ${moment.toISOString()}:\n${await this.host.journal(DAEMON)}\n${await this.agent.describe()}`,
      limitMs,
    );
  }

  async status(): Promise<Status | null> {
    const { stdout } = await this.host.machine.exec("idc-helper", "status", "--json");
    return (JSON.parse(stdout) as { status: Status | null }).status;
  }

  async waitForStatus(wanted: (status: Status) => boolean, what: string, limitMs?: number): Promise<void> {
    await until(
      async () => {
        const status = await this.status();
        return status !== null && wanted(status);
      },
      async () =>
        `${what} never came:\n${JSON.stringify(await this.status(), null, 1)}\n${await this.host.journal(DAEMON)}\n${await this.host.journal(ONESHOT)}`,
      limitMs,
    );
  }

  /** Our services at a raised pace, in the packaged sandbox all the same, and sessions as short in proportion. */
  async simulateTime(): Promise<void> {
    const { machine, emulator } = this.host;
    emulator.state.clock.factor = TIME_FACTOR;
    emulator.settings.change({ pollHoldMs: 500 * TIME_FACTOR, redeliverAfterMs: 1_000 * TIME_FACTOR });
    for (const [unit, text] of Object.entries(SIMULATED)) {
      await machine.write(`/run/systemd/system/${unit}.d/90-simulated.conf`, text);
    }
    await machine.sh(`systemctl daemon-reload; systemctl restart ${DAEMON}`);
  }

  async liveInRealTime(): Promise<void> {
    const { machine, emulator } = this.host;
    emulator.state.clock.factor = 1;
    emulator.settings.change({ pollHoldMs: 500, redeliverAfterMs: 1_000 });
    const dropIns = Object.keys(SIMULATED).map((unit) => `/run/systemd/system/${unit}.d/90-simulated.conf`);
    await machine.sh(`rm -f ${dropIns.join(" ")}; systemctl daemon-reload; systemctl restart ${DAEMON}`);
  }

  /** Before the services start: their wall clock is one that the test can step. */
  async makeClockMovable(): Promise<void> {
    for (const unit of [DAEMON, ONESHOT, UNIT]) {
      await this.host.machine.write(`/etc/systemd/system/${unit}.d/90-clock.conf`, MOVABLE_CLOCK);
    }
    await this.stepClock(0);
    await this.host.machine.sh("systemctl daemon-reload");
  }

  stepClock(seconds: number): Promise<string> {
    return this.host.machine.write(CLOCK_FILE, `${seconds < 0 ? "" : "+"}${seconds}\n`);
  }

  /** @param leftMiB what stays free */
  async fillDisk(leftMiB: number): Promise<void> {
    const { machine } = this.host;
    await machine.exec("dd", "if=/dev/zero", `of=${FILLER}`, "bs=1M");
    if (leftMiB > 0) await machine.sh(`truncate --size=-${leftMiB}M ${FILLER}`);
    else await machine.exec("dd", "if=/dev/zero", `of=${FILLER}-more`, "bs=512");
  }

  freeDisk(): Promise<string> {
    return this.host.machine.sh(`rm -f ${FILLER} ${FILLER}-more`);
  }

  /** An event that goes on until {@link endEvent}. @returns its id, once it runs */
  async beginEvent(): Promise<string> {
    const { host } = this;
    await host.machine.sh("rm -f /tmp/begun /tmp/go-on");
    const id = host.queueEvent("touch /tmp/begun; while [ ! -e /tmp/go-on ]; do sleep 0.1; done");
    await until(
      async () => (await host.machine.exec("test", "-e", "/tmp/begun")).code === 0,
      async () => `the event does not start:\n${await this.agent.describe()}`,
    );
    return id;
  }

  async endEvent(id: string): Promise<void> {
    await this.host.machine.sh("touch /tmp/go-on");
    const { state } = await this.host.endOfEvent(id);
    expectEqual(state, "succeeded", "the event");
  }
}
