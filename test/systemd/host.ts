/** The machine with the product on it, AWS emulated beside it, and what the checks ask of both. */
import { randomUUID } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { SyncAnswer } from "../../src/agent/exchange.ts";
import { type Emulator, ROLE_ARN, startEmulator } from "../aws-emulator/emulator.ts";
import type { LifecycleEvent } from "../aws-emulator/services/commands/lifecycle-event.ts";
import { SERIAL, SESSION_ARN } from "../harness/scratch-host.ts";
import { Machine } from "./machine.ts";
import { stage, stageBare } from "./staging.ts";
import { LIMIT_MS, until } from "./until.ts";

export const REGION = "ap-northeast-2";
export const DAEMON = "idc-codedeploy-helper.service";
export const ONESHOT = "idc-codedeploy-helper-agent.service";
export const PATH_UNIT = "idc-codedeploy-helper-agent.path";
export const AGENT_CONFIG = "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml";
export const REQUEST = "/run/idc-codedeploy-helper-agent/requests/sync";
export const ANSWER = "/run/idc-codedeploy-helper-agent/agent.json";
/** Put before a command, it runs that as the service's user. */
export const AS_SERVICE: readonly string[] = [
  "setpriv",
  "--reuid=idc-helper",
  "--regid=idc-helper",
  "--init-groups",
];
const RECORD = "/run/idc-codedeploy-helper-agent/sync.json";

/** Outside of a service, our limits may be shortened: five minutes between reloads become five seconds. */
export const TIME_FACTOR = 60;

export class Host {
  readonly machine: Machine;
  readonly emulator: Emulator;

  private constructor(machine: Machine, emulator: Emulator) {
    this.machine = machine;
    this.emulator = emulator;
  }

  /** @param started is given each part as soon as it must be ended, whatever happens next */
  static async start(
    baseRoot: string,
    directory: string,
    started: (end: () => Promise<void>) => void,
  ): Promise<Host> {
    const host = await Host.#start(baseRoot, directory, started, stage);
    host.emulator.instances.put({ name: SERIAL, region: REGION, iamSessionArn: SESSION_ARN });
    await host.#settle();
    return host;
  }

  /**
   * A machine without the product, and its packages at /srv/packages.
   *
   * @param emulator the account that it shares with other machines; else one of its own
   */
  static startBare(
    baseRoot: string,
    directory: string,
    started: (end: () => Promise<void>) => void,
    packages: string,
    emulator?: Emulator,
  ): Promise<Host> {
    return Host.#start(baseRoot, directory, started, (staging) => stageBare(staging, packages), emulator);
  }

  static async #start(
    baseRoot: string,
    directory: string,
    started: (end: () => Promise<void>) => void,
    fill: (staging: string) => Promise<void>,
    shared?: Emulator,
  ): Promise<Host> {
    const staging = mkdtempSync(join(directory, "machine-"));
    await fill(join(staging, "files"));
    const emulator = shared ?? (await startEmulator());
    if (shared === undefined) started(() => emulator.close());
    // The agent lives fast, the emulator does not: its minute-long poll must not last as long for the agent.
    emulator.settings.change({ pollHoldMs: 500, redeliverAfterMs: 1_000 });
    const machine = Machine.start({ baseRoot, staging: join(staging, "files"), directory: staging });
    started(() => machine.stop());
    await machine.boot();
    const host = new Host(machine, emulator);
    await machine.write("/etc/stand-in.env", `IDC_AGENT_ENDPOINT=${emulator.url}\n${AGENT_PACE}`);
    await machine.write(
      "/etc/codedeploy-agent/conf/codedeployagent.yml",
      `:wait_between_runs: 1\n:deploy_control_endpoint: ${emulator.url}\n`,
    );
    return host;
  }

  /** Gives the memory back that its disk takes. */
  async stop(): Promise<void> {
    await this.machine.stop();
    await this.emulator.close();
  }

  async #settle(): Promise<void> {
    const { machine } = this;
    await machine.sh(
      `systemd-sysusers; systemd-tmpfiles --create idc-codedeploy-helper.conf
       chgrp idc-helper /etc/idc-codedeploy-helper/base-credentials`,
    );
    await this.writeConfig();
  }

  writeConfig(more = ""): Promise<string> {
    const text = `serial: ${SERIAL}
region: ${REGION}
role_arn: ${ROLE_ARN}
endpoints: { sts: "${this.emulator.url}" }
${more}`;
    return this.machine.write("/etc/idc-codedeploy-helper/config.yaml", text);
  }

  /** What an agent that is not root's needs: a group that may read its credentials, which the daemon then has. */
  async useReaderGroup(): Promise<void> {
    await this.writeConfig("credentials_file: { group: codedeploy }\n");
    await this.machine.write(
      `/etc/systemd/system/${DAEMON}.d/reader-group.conf`,
      "[Service]\nGroup=codedeploy\nSupplementaryGroups=idc-helper\n",
    );
    await this.machine.sh(
      `systemctl daemon-reload; systemctl restart ${DAEMON}; idc-helper refresh; systemctl stop ${DAEMON}`,
    );
    await this.forgetSyncs();
  }

  /** As an operator, or a drift, would: the agent's config no longer says what ours says. */
  breakAgentConfig(region = "us-east-1"): Promise<string> {
    return this.machine.sh(`sed -i 's/^region: .*/region: ${region}/' ${AGENT_CONFIG}`);
  }

  /** The path unit without its eye on the agent's config, and running. */
  async watchRequestsOnly(): Promise<void> {
    const dropIn = `[Path]\nPathChanged=\nPathExists=${REQUEST}\n`;
    await this.machine.write(`/run/systemd/system/${PATH_UNIT}.d/requests-only.conf`, dropIn);
    await this.machine.sh(`systemctl daemon-reload; systemctl restart ${PATH_UNIT}`);
  }

  /** The root oneshot's earlier runs are forgotten, and with them the five minutes between two reloads. */
  forgetSyncs(): Promise<string> {
    return this.machine.sh(`rm -f ${RECORD}`);
  }

  /** Leaves a request as the service's user, and waits for its answer by the oneshot in its sandbox. */
  async request(id: string = randomUUID()): Promise<SyncAnswer> {
    await this.leaveRequest(id);
    return this.answerTo(id);
  }

  async leaveRequest(id: string): Promise<void> {
    const request = JSON.stringify({ id, credentialsSince: null });
    const leave = `umask 022; cat >${REQUEST}.test; mv ${REQUEST}.test ${REQUEST}`;
    const { code, output } = await this.machine.run([...AS_SERVICE, "sh", "-euc", leave], { input: request });
    if (code !== 0) throw new Error(`no request could be left: ${output}`);
  }

  answerTo(id: string): Promise<SyncAnswer> {
    return until(
      async () => {
        const answer = await this.answer();
        return answer?.id === id ? answer : null;
      },
      async () => `no answer to request ${id}:\n${await this.journal(ONESHOT)}`,
    );
  }

  async answer(): Promise<SyncAnswer | null> {
    const { code, stdout } = await this.machine.exec("cat", ANSWER);
    return code === 0 ? (JSON.parse(stdout) as SyncAnswer) : null;
  }

  /** `sync-agent` by hand, outside of a service and with shortened limits. */
  async sync(): Promise<SyncAnswer> {
    const env = [`IDC_HELPER_TIME_FACTOR=${TIME_FACTOR}`];
    const { stdout, output } = await this.machine.run(["idc-helper", "sync-agent", "--json"], { env });
    const last = stdout.trim().split("\n").at(-1) ?? "";
    if (!last.startsWith("{")) throw new Error(`sync-agent did not answer: ${output}`);
    return JSON.parse(last) as SyncAnswer;
  }

  async property(unit: string, name: string): Promise<string> {
    return (await this.machine.exec("systemctl", "show", "--property", name, "--value", unit)).stdout.trim();
  }

  async waitForProperty(unit: string, name: string, wanted: string): Promise<void> {
    await until(
      async () => (await this.property(unit, name)) === wanted,
      async () =>
        `${unit} has ${name}=${await this.property(unit, name)}, not ${wanted}:\n${await this.journal(unit)}`,
    );
  }

  async journal(unit: string, ...more: string[]): Promise<string> {
    const options = ["--no-pager", "--output=short", "--lines=200", "--unit", unit, ...more];
    return (await this.machine.exec("journalctl", ...options)).stdout;
  }

  /** A lifecycle event for the agent; the emulator tells what becomes of it. */
  queueEvent(script: string): string {
    return this.emulator.events.queue({ hostIdentifier: SESSION_ARN, script }).id;
  }

  /** @returns the event, once it has succeeded or failed */
  endOfEvent(id: string): Promise<LifecycleEvent> {
    return this.emulator.events.waitFor(id, ["succeeded", "failed"], LIMIT_MS);
  }
}

const AGENT_PACE = `IDC_AGENT_TIME_FACTOR=${TIME_FACTOR}
IDC_AGENT_TRACE=/var/log/aws/trace.jsonl
`;
