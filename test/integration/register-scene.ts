/** A host that is to be registered: AWS, a fresh host, a base key in a file, and how a test reads the answer. */
import { BASE_KEY, ROLE_ARN } from "../aws-emulator/emulator.ts";
import { type HostCommandOptions, operatorEnv } from "../harness/host-root.ts";
import { type HostScene, type HostSceneOptions, openHostScene } from "../harness/host-scene.ts";
import type { TestContext } from "../harness/scene.ts";

export const SERIAL = "serial-ABCDEFG";
export const REGION = "ap-northeast-2";
export const SESSION_ARN = `arn:aws:sts::123456789012:assumed-role/CodeDeployIDC-Instance-Profile/${SERIAL}`;
export const BASE_FILE = "/root/base.ini";
export const REGISTRATION_FILE = "/etc/idc-codedeploy-helper/registration.json";

export const REGISTER = [
  ...["register", "--serial", SERIAL, "--region", REGION, "--role-arn", ROLE_ARN],
  ...["--tag", "Name=web", "--tag", "Env=prod"],
];
export const WITH_BASE = [...REGISTER, "--base-credentials", BASE_FILE];

export async function openRegisterScene(
  test: TestContext,
  options: HostSceneOptions = {},
): Promise<HostScene> {
  const scene = await openHostScene(test, { agentTimeFactor: 60, ...options });
  scene.host.write(BASE_FILE, iniOf(BASE_KEY), { mode: 0o600 });
  return scene;
}

export function iniOf({ accessKeyId, secretAccessKey }: typeof BASE_KEY, profile = "default"): string {
  return `[${profile}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
}

export interface Answer {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** With the operator's key in the environment, unless told otherwise. */
export function run(
  { host }: HostScene,
  args: readonly string[] = WITH_BASE,
  { env = {}, ...options }: HostCommandOptions = {},
): Promise<Answer> {
  return host.command(args, { env: { ...operatorEnv(), ...env }, ...options });
}

/** @throws with what it said, where it fails */
export async function registered(scene: HostScene, args: readonly string[] = WITH_BASE): Promise<Answer> {
  const answer = await run(scene, args);
  if (answer.code !== 0) throw new Error(`exit ${answer.code}\n${answer.stdout}${answer.stderr}`);
  return answer;
}

/** `done Tag the instance`, for each step shown. */
export function stepsOf(stdout: string): string[] {
  return [...stdout.matchAll(/^ {2}(ok|done|kept|plan|note|FAIL) +(\S.*?) {2,}\d+\.\d s$/gm)].map(
    ([, state, title]) => `${state} ${title}`,
  );
}

/** What stands under a step, on one line. */
export function under(stdout: string, title: string): string {
  const lines = stdout.split("\n");
  const at = lines.findIndex((line) => line.includes(`  ${title}  `));
  if (at === -1) return `(no step ${title})`;
  const rest = lines.slice(at + 1);
  const end = rest.findIndex((line) => !line.startsWith("        "));
  return rest
    .slice(0, end === -1 ? undefined : end)
    .map((line) => line.trim())
    .join(" ");
}

/** The calls of CodeDeploy that change something, as they reached it. */
export function changesAtAws({ emulator }: HostScene): string[] {
  return emulator.requests
    .list()
    .flatMap(({ service, action }) =>
      service === "codedeploy" && /^(Add|Remove|Register|Deregister)/.test(action) ? [action] : [],
    );
}

export function instanceOf({ emulator }: HostScene, name = SERIAL) {
  return emulator.instances.list().find((instance) => instance.name === name);
}

/** Of the text that a person was shown: without the times that steps took. */
export function untimed(text: string): string {
  return text.replace(/ +\d+\.\d s$/gm, "");
}
