/** The stand-in agent as a service of systemd's, in each way the real one is met (FACTS). */
import type { SyncAnswer } from "../../src/agent/exchange.ts";
import { expectEqual } from "./checks.ts";
import { DAEMON, type Host } from "./host.ts";
import { until } from "./until.ts";

export const UNIT = "codedeploy-agent.service";
const SYSTEM = "/etc/systemd/system";
const INIT_SCRIPT = "/etc/init.d/codedeploy-agent";
/** Where the deployed application's process id is, which the agent's user can write. */
const APPLICATION = "/var/log/aws/application.pid";

export type Flavour = "root" | "codedeploy" | "sysv" | "wrapped";

export interface AgentProcesses {
  master: number;
  worker: number;
}

export class AgentOnHost {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Installs and starts it, with a drop-in of the test's; what was there before is gone, processes and state too. */
  async install(flavour: Flavour, dropIn?: string): Promise<AgentProcesses> {
    const { machine } = this.#host;
    await this.remove();
    if (dropIn !== undefined) await this.dropIn("odd", dropIn);
    await this.#credentials(ownerOf(flavour));
    await this.place(flavour);
    await machine.sh(`systemctl start ${UNIT}`);
    return this.processes();
  }

  /** Installs it, as its package would, and does not start it. */
  async place(flavour: Flavour): Promise<void> {
    const { machine } = this.#host;
    await machine.sh(`chown -R ${ownerOf(flavour)}: /opt/codedeploy-agent /var/log/aws`);
    if (flavour === "sysv") await machine.sh(`cp /opt/stand-in/codedeploy-agent.init ${INIT_SCRIPT}`);
    else await machine.write(`${SYSTEM}/${UNIT}`, unitFile(flavour));
    await machine.sh("systemctl daemon-reload");
  }

  /** An agent is only of use on a host that has credentials it can read. */
  async #credentials(owner: string): Promise<void> {
    const { machine } = this.#host;
    const { stdout } = await machine.exec("stat", "-c", "%G", "/var/lib/idc-codedeploy-helper/credentials");
    const group = stdout.trim();
    if (owner === "codedeploy" && group !== owner) await this.#host.useReaderGroup();
    else if (group === "") await machine.sh(`systemctl start ${DAEMON}; systemctl stop ${DAEMON}`);
  }

  async remove(): Promise<void> {
    const { machine } = this.#host;
    await machine.sh(
      `systemctl unmask --quiet ${UNIT} 2>/dev/null || true
       systemctl stop ${UNIT} 2>/dev/null || true
       if [ -e ${APPLICATION} ]; then kill "$(cat ${APPLICATION})" 2>/dev/null || true; fi
       rm -rf ${SYSTEM}/${UNIT} ${SYSTEM}/${UNIT}.d ${INIT_SCRIPT} /opt/codedeploy-agent/* /opt/codedeploy-agent/.[a-z]*
       rm -rf /var/log/aws/*
       systemctl daemon-reload; systemctl reset-failed ${UNIT} 2>/dev/null || true`,
    );
    await this.#host.forgetSyncs();
  }

  /** Adds a drop-in of the test's own, after ours. */
  async dropIn(name: string, text: string): Promise<void> {
    await this.#host.machine.write(`${SYSTEM}/${UNIT}.d/${name}.conf`, text);
    await this.#host.machine.sh("systemctl daemon-reload");
  }

  /** Waits until there are both, and the worker has said that it polls. */
  async processes(): Promise<AgentProcesses> {
    return until(
      () => this.look(),
      async () => `the agent has no master, or no worker:\n${await this.describe()}`,
    );
  }

  async look(): Promise<AgentProcesses | null> {
    const { stdout } = await this.#host.machine.exec(
      "sh",
      "-c",
      `read -r master </opt/codedeploy-agent/state/.pid/codedeploy-agent.pid && echo "$master" &&
       cat "/proc/$master/task/$master/children" && echo && cat /var/log/aws/trace.jsonl`,
    );
    const [master = "", children = "", ...trace] = stdout.split("\n");
    const workers = children.split(" ").filter(Boolean);
    const worker = Number(workers[0]);
    const polls = trace.some((line) => line.includes(`"pid":${worker},"kind":"poll"`));
    return workers.length === 1 && polls ? { master: Number(master), worker } : null;
  }

  /** Waits for another worker than the one given. */
  async successorOf({ master, worker }: AgentProcesses): Promise<AgentProcesses> {
    const found = await until(
      async () => {
        const now = await this.look();
        return now !== null && now.worker !== worker ? now : null;
      },
      async () => `worker ${worker} was not replaced:\n${await this.describe()}`,
    );
    if (found.master !== master) throw new Error(`the master was replaced too: ${master} -> ${found.master}`);
    return found;
  }

  /** After a reload that was asked for: another worker, and an answer that knows of it. */
  async expectReloaded(before: AgentProcesses, first: SyncAnswer): Promise<AgentProcesses> {
    const after = await this.successorOf(before);
    // The oneshot waits 15 s, which a busy machine may need for more than that; then its next run says so.
    const isLate = first.reload.state === "under_way";
    const { reload, agent } = isLate ? await this.#host.request() : first;
    expectEqual(reload.state, "done", "the reload", JSON.stringify(reload));
    expectEqual(agent.workerPid, after.worker, "the worker in the answer");
    return after;
  }

  /** An event that leaves an application running in the background. @returns the application's process id */
  async deployApplication(): Promise<number> {
    const id = this.#host.queueEvent(`sleep 100000 >/dev/null 2>&1 & echo $! >${APPLICATION}`);
    const { state } = await this.#host.endOfEvent(id);
    if (state !== "succeeded") throw new Error(`the deployment ${state}`);
    return Number(await this.#host.machine.sh(`cat ${APPLICATION}`));
  }

  async isAlive(pid: number): Promise<boolean> {
    return (await this.#host.machine.exec("sh", "-c", `kill -0 ${pid}`)).code === 0;
  }

  async describe(): Promise<string> {
    const { machine } = this.#host;
    const parts = await Promise.all([
      machine.exec("systemctl", "status", "--no-pager", "--lines=30", UNIT),
      machine.exec("sh", "-c", "cat /var/log/aws/stand-in.out; tail -n 12 /var/log/aws/trace.jsonl"),
    ]);
    return parts.map(({ output }) => output).join("\n");
  }
}

function ownerOf(flavour: Flavour): string {
  return flavour === "codedeploy" ? "codedeploy" : "root";
}

function unitFile(flavour: Flavour): string {
  // TimeoutStopSec= is short, because a worker that does not end is one of the cases.
  const common = `EnvironmentFile=/etc/stand-in.env
TimeoutStopSec=3s
${flavour === "codedeploy" ? "User=codedeploy\n" : ""}`;
  const start =
    flavour === "wrapped"
      ? "Type=simple\nExecStart=/bin/sh -c '/opt/stand-in/start; sleep 100000'\n"
      : "Type=forking\nExecStart=/opt/stand-in/start\nExecStop=/opt/stand-in/stop\n";
  return `[Unit]\nDescription=AWS CodeDeploy Host Agent\n[Service]\n${start}${common}[Install]\nWantedBy=multi-user.target\n`;
}
