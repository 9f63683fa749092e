/** A scratch host on which everything is as it should be, for `doctor` to find what a test then breaks. */
import type { CheckResult } from "../../src/doctor/check.ts";
import { fingerprint } from "../../src/host/machine.ts";
import type { Registration } from "../../src/registration/record.ts";
import type { Emulator } from "../aws-emulator/emulator.ts";
import type { OnPremisesInstance } from "../aws-emulator/services/codedeploy/instance-registry.ts";
import { eventually } from "../harness/eventually.ts";
import { DMI } from "../harness/host-root/layout.ts";
import {
  HELPER,
  type HostCommandOptions,
  type HostRoot,
  operatorEnv,
  REQUESTS,
} from "../harness/host-root.ts";
import { type HostSceneOptions, openHostScene } from "../harness/host-scene.ts";
import type { TestContext } from "../harness/scene.ts";
import { SERIAL, SESSION_ARN } from "../harness/scratch-host.ts";

export const REGION = "ap-northeast-2";
export const SETTINGS_FILE = "/etc/codedeploy-agent/conf/codedeployagent.yml";
export const AGENT_LOG = "/var/log/aws/codedeploy-agent/codedeploy-agent.log";
export const REGISTRATION_FILE = "/etc/idc-codedeploy-helper/registration.json";
export const TRACKING = "/opt/codedeploy-agent/deployment-root/ongoing-deployment";
export const TAG = { key: "Name", value: "web" };

export interface Answer {
  code: number | null;
  verdict: string;
  summary: string;
  checks: CheckResult[];
  /** Which checks did not pass, with their state. */
  troubles: Record<string, string>;
  check(id: string): CheckResult;
}

export interface HealthyHost {
  host: HostRoot;
  emulator: Emulator;
  doctor(args?: readonly string[], options?: HostCommandOptions): Promise<Answer>;
  /** With an operator's credentials, and everything tried. */
  examine(options?: HostCommandOptions): Promise<Answer>;
}

export async function openHealthyHost(
  test: TestContext,
  options: HostSceneOptions = {},
): Promise<HealthyHost> {
  const { host, emulator } = await openHostScene(test, options);
  host.writeConfig();
  host.writeBaseCredentials();
  writeRegistration(host);
  registerInAws(emulator);
  appendSettings(host, `:deploy_control_endpoint: ${emulator.httpsUrl ?? emulator.url}\n`);
  for (const unit of [HELPER, REQUESTS]) await host.runProgram("systemctl", ["enable", unit]);
  await host.services.start(HELPER);
  await host.waitForStatus(({ state }) => state === "fresh", "good credentials");
  await host.services.startAgent();
  await host.services.agent.waitForTrace("poll_ok");
  await settled(host);
  const doctor = async (args: readonly string[] = [], how: HostCommandOptions = {}) => {
    const { code, stdout, stderr } = await host.command(["doctor", "--json", ...args], how);
    if (stdout === "") throw new Error(`doctor said nothing: ${stderr}`);
    return interpret(code, stdout);
  };
  const endpoint = emulator.httpsUrl ?? emulator.url;
  const examine = ({ env, ...how }: HostCommandOptions = {}) =>
    doctor(["--deep"], { ...how, env: { ...operatorEnv(), AWS_ENDPOINT_URL_S3: endpoint, ...env } });
  return { host, emulator, doctor, examine };
}

/** Until the root oneshot has seen the worker that now runs. */
async function settled(host: HostRoot): Promise<void> {
  await host.command(["sync-agent"]);
  await eventually(
    () => host.agentAnswer()?.agent.workerPid === host.services.agent.workerPid(),
    () => `agent.json: ${JSON.stringify(host.agentAnswer())}`,
  );
}

/** The instance as AWS has it; registered with this host's session and tag, but for the changes. */
export function registerInAws(emulator: Emulator, changes: Partial<OnPremisesInstance> = {}): void {
  const instance = emulator.instances.put({ name: SERIAL, region: REGION, iamSessionArn: SESSION_ARN });
  emulator.state.instances.put({ ...instance, tags: [{ Key: TAG.key, Value: TAG.value }], ...changes });
}

function interpret(code: number | null, stdout: string): Answer {
  const { verdict, summary, checks } = JSON.parse(stdout) as Pick<Answer, "verdict" | "summary" | "checks">;
  const troubles = Object.fromEntries(
    checks.filter(({ state }) => state !== "pass").map(({ id, state }) => [id, state]),
  );
  const check = (id: string) => {
    const found = checks.find((each) => each.id === id);
    if (found === undefined) throw new Error(`there is no check ${id}`);
    return found;
  };
  return { code, verdict, summary, checks, troubles, check };
}

export function writeRegistration(host: HostRoot, changes: Partial<Registration> = {}): void {
  const registration: Registration = {
    schema: 1,
    state: "complete",
    serial: SERIAL,
    region: REGION,
    sessionArn: SESSION_ARN,
    tags: [TAG],
    machine: fingerprint({
      productSerial: DMI.product_serial,
      productUuid: DMI.product_uuid,
      machineId: host.read("/etc/machine-id").trim(),
      rejectedSerial: null,
    }),
    startedAt: "2026-01-31T09:00:00.000Z",
    ...changes,
  };
  host.write(REGISTRATION_FILE, JSON.stringify(registration));
}

export function appendSettings(host: HostRoot, yaml: string): void {
  host.write(SETTINGS_FILE, host.read(SETTINGS_FILE) + yaml);
}
