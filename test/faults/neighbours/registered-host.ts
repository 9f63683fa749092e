/** A booted machine that was registered as an operator does it, with a deployment's application running on it. */
import { readFileSync } from "node:fs";
import { BASE_KEY, OPERATOR_KEY } from "../../aws-emulator/emulator.ts";
import { SERIAL } from "../../harness/scratch-host.ts";
import { AgentOnHost, type AgentProcesses, UNIT } from "../../systemd/agent-service.ts";
import { AS_SERVICE, DAEMON, Host, REGION } from "../../systemd/host.ts";
import { BASE_FILE, ETC, Operator, REGISTER } from "../../systemd/operator.ts";
import type { Ended } from "../../systemd/process.ts";
import { until } from "../../systemd/until.ts";
import { CANARY, Canaries } from "./canaries.ts";
import { Broken } from "./ledger.ts";

export const STATE = "/var/lib/idc-codedeploy-helper";
export const RUNTIME = "/run/idc-codedeploy-helper";
export const ROOTS_OWN = "/run/idc-codedeploy-helper-agent";
export const AS_NOBODY: readonly string[] = [
  "setpriv",
  "--reuid=nobody",
  "--regid=nogroup",
  "--clear-groups",
];
/** Limits of what root types by hand are shortened; the units' own are not. */
const FACTOR = 60;
/** Far more than any command takes here. */
const HANG_S = 60;
const STATUS_OF_TIMEOUT = 124;

export class RegisteredHost {
  readonly host: Host;
  readonly agent: AgentOnHost;
  readonly canaries: Canaries;
  readonly #operator: Operator;

  private constructor(host: Host, canaries: Canaries) {
    this.host = host;
    this.agent = new AgentOnHost(host);
    this.canaries = canaries;
    this.#operator = new Operator(host);
  }

  static async start(
    baseRoot: string,
    directory: string,
    started: (end: () => Promise<void>) => void,
  ): Promise<RegisteredHost> {
    const host = await Host.start(baseRoot, directory, started);
    const { machine } = host;
    await machine.write("/opt/attacker.py", readFileSync(new URL("attacker.py", import.meta.url), "utf8"));
    const it = new RegisteredHost(host, await Canaries.set(machine));
    await machine.sh(`rm ${ETC}/base-credentials`);
    await it.agent.place("root");
    await it.pointAtAws();
    await it.register();
    return it;
  }

  async register(): Promise<void> {
    await this.#operator.register();
  }

  /** What a deregistration took away, and what a configuration management leaves before a registration. */
  async pointAtAws(): Promise<void> {
    this.host.emulator.instances.remove(REGION, SERIAL);
    await this.#operator.pointAtAws();
  }

  /** Whatever state it is in. */
  async registerAnew(): Promise<void> {
    await this.stopService();
    await this.clean();
    await this.asRoot(["deregister", "--yes"]);
    await this.pointAtAws();
    await this.register();
  }

  /** @throws when it fails, with what it said */
  async must(args: readonly string[]): Promise<void> {
    const { code, output } = await this.asRoot(args);
    if (code !== 0) throw new Error(`idc-helper ${args.join(" ")} ended with ${code}: ${output}`);
  }

  /** Root's command, with an operator's identity; what it said is looked through. */
  async asRoot(args: readonly string[], input = ""): Promise<Ended> {
    const env = [
      `AWS_ACCESS_KEY_ID=${OPERATOR_KEY.accessKeyId}`,
      `AWS_SECRET_ACCESS_KEY=${OPERATOR_KEY.secretAccessKey}`,
      "HOME=/root",
      `IDC_HELPER_TIME_FACTOR=${FACTOR}`,
    ];
    const limited = ["timeout", "--kill-after=5", String(HANG_S), "idc-helper", ...args];
    const ended = await this.host.machine.run(limited, { env, input });
    const faults = faultsOf(args, ended);
    if (faults.length > 0) throw new Broken("a command that fails badly", faults);
    return ended;
  }

  /** The attacker's program, as the service's user. @returns what it printed */
  async attack(...args: string[]): Promise<string> {
    const { code, stdout, output } = await this.host.machine.run([
      ...AS_SERVICE,
      "python3",
      "/opt/attacker.py",
      ...args,
    ]);
    if (code !== 0) throw new Error(`the attack ${args.join(" ")} failed: ${output}`);
    return stdout.trim();
  }

  /** A shell command as the service's user. */
  asService(script: string, input = ""): Promise<Ended> {
    return this.host.machine.run([...AS_SERVICE, "sh", "-euc", script], { input });
  }

  asNobody(...command: string[]): Promise<Ended> {
    return this.host.machine.run([...AS_NOBODY, ...command]);
  }

  /** Everything of the service's away, and the service stopped: what is laid there stays as it is laid. */
  async stopService(): Promise<void> {
    await this.host.machine.sh(
      `systemctl stop ${DAEMON}; systemctl reset-failed ${DAEMON} 2>/dev/null || true`,
    );
  }

  async clean(): Promise<void> {
    await this.host.machine.sh(
      `find ${STATE} ${RUNTIME} ${ROOTS_OWN}/requests -mindepth 1 -delete; rm -f ${STATE}/.[!.]* ${RUNTIME}/.[!.]*`,
    );
  }

  /** As after a registration: the service runs, and the agent has good credentials. */
  async recover(): Promise<void> {
    const { machine } = this.host;
    if ((await machine.exec("test", "-e", `${ETC}/config.yaml`)).code !== 0) return;
    await this.stopService();
    await this.clean();
    await machine.sh(`systemctl start ${DAEMON} idc-codedeploy-helper-agent.path`);
    await until(
      async () => (await machine.exec("grep", "-q", '"state": "fresh"', `${RUNTIME}/status.json`)).code === 0,
      () => this.host.journal(DAEMON),
    );
  }

  /** The files that root has left in the service's own directories. */
  async rootsFiles(): Promise<string[]> {
    const found = await this.host.machine.sh(`find ${STATE} ${RUNTIME} -user root -links 1 ! -type d`);
    return found.split("\n").filter(Boolean);
  }

  async processes(): Promise<AgentProcesses> {
    return this.agent.processes();
  }

  /** How often the agent's worker was asked to end, and when, in seconds of the boot. */
  async reloads(): Promise<number[]> {
    const { stdout } = await this.host.machine.exec(
      "journalctl",
      "--no-pager",
      "--output=short-monotonic",
      "--unit",
      UNIT,
      "--grep",
      "asked worker",
    );
    return [...stdout.matchAll(/^\[\s*([\d.]+)\] .*asked worker \d+/gm)].map(([, at]) => Number(at));
  }
}

export const REGISTER_AGAIN: readonly string[] = [...REGISTER, "--base-credentials", "-", "--yes"];
export { BASE_FILE };

/** What no command may do, whatever lies in its way. */
export function faultsOf(args: readonly string[], { code, output }: Ended): string[] {
  const command = `idc-helper ${args[0]}`;
  const faults: string[] = [];
  if (code === STATUS_OF_TIMEOUT || code === null) faults.push(`${command} did not end within ${HANG_S} s`);
  if (/unexpectedly/.test(output)) faults.push(`${command} crashed: ${output.slice(0, 1_000)}`);
  if (output.includes(CANARY)) faults.push(`${command} told root's secret: ${output.slice(0, 1_000)}`);
  for (const secret of [BASE_KEY.secretAccessKey, OPERATOR_KEY.secretAccessKey])
    if (output.includes(secret)) faults.push(`${command} told a key`);
  // What a terminal would obey.
  if (/[^\P{Cc}\n\t]/u.test(output))
    faults.push(`${command} printed control characters: ${JSON.stringify(output).slice(0, 500)}`);
  return faults;
}
