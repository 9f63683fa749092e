/** The terminal sessions that the README shows: a host registered from nothing, and a broken one examined. */
import { BASE_KEY, ROLE_ARN } from "../aws-emulator/emulator.ts";
import { operatorEnv } from "./host-root.ts";
import { type HostScene, openHostScene } from "./host-scene.ts";
import type { TestContext } from "./scene.ts";
import { plain } from "./terminal.ts";

/** As wide as a README is read. */
const COLUMNS = 100;
const SERIAL = "7XK2Q93";
const REGION = "ap-northeast-2";

async function openNamedHost(context: TestContext): Promise<HostScene> {
  const scene = await openHostScene(context, { agent: "stopped" });
  scene.host.write("/sys/class/dmi/id/product_serial", `${SERIAL}\n`, { mode: 0o400 });
  const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = BASE_KEY;
  const key = JSON.stringify({ AccessKey: { AccessKeyId, SecretAccessKey } });
  scene.host.write("/root/base-key.json", key, { mode: 0o600 });
  return scene;
}

const REGISTER = [
  ...["register", "--serial", "auto", "--region", REGION, "--role-arn", ROLE_ARN],
  ...["--tag", "Name=web", "--base-credentials", "base-key.json", "--yes"],
];

interface Typed {
  env: Record<string, string>;
  /** What it must end with: nothing else is worth showing. */
  code: number;
}

async function typed(
  scene: HostScene,
  args: readonly string[],
  { env, code: wanted }: Typed,
): Promise<string> {
  const { result } = scene.host.terminal([...args], { columns: COLUMNS, env: { ...env, NO_COLOR: "1" } });
  const { code, output } = await result;
  if (code !== wanted)
    throw new Error(`it ended with ${code}, not ${wanted}:
${plain(output)}`);
  const command = `# idc-helper ${args.join(" ")}`.replace(/ (--(?:role-arn|tag|base))/g, " \\\n    $1");
  return `${command}\n${lastOf(plain(output)).trim()}\n`;
}

/** A line that was written over, as a step's is when it ends, is shown as it was last. */
function lastOf(output: string): string {
  return output
    .replaceAll("\r\n", "\n")
    .split("\n")
    .map((line) => line.split("\r").at(-1)?.trimEnd() ?? "")
    .join("\n");
}

export async function recordedRegister(context: TestContext): Promise<string> {
  return typed(await openNamedHost(context), REGISTER, { env: operatorEnv(), code: 0 });
}

/** Somebody has edited the agent's config, opened the base key to everyone, and stopped the service. */
export async function recordedDoctor(context: TestContext): Promise<string> {
  const scene = await openNamedHost(context);
  const { host, emulator } = scene;
  const settings = "/etc/codedeploy-agent/conf/codedeployagent.yml";
  host.write(settings, `${host.read(settings)}:deploy_control_endpoint: ${emulator.url}\n`);
  const { code, stdout, stderr } = await host.command(REGISTER, { env: operatorEnv() });
  if (code !== 0) throw new Error(stdout + stderr);
  await host.services.stop("idc-codedeploy-helper.service");
  const config = "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml";
  host.write(config, host.read(config).replace(/^region: .*$/m, "region: us-east-1"));
  const base = "/etc/idc-codedeploy-helper/base-credentials";
  host.write(base, host.read(base), { mode: 0o644 });
  return typed(scene, ["doctor"], {
    env: { ...operatorEnv(), AWS_ENDPOINT_URL_S3: emulator.url },
    code: 2,
  });
}
