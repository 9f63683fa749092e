/**
 * `register` and `adopt`, broken off, each time on a host and an account of their own: the second run must come to the
 * end of one that nobody disturbed.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BASE_KEY, OPERATOR_KEY } from "../../aws-emulator/emulator.ts";
import { AGENT, HELPER, operatorEnv, REQUESTS } from "../../harness/host-root.ts";
import type { HostScene } from "../../harness/host-scene.ts";
import type { TestContext } from "../../harness/scene.ts";
import { OLD_FILE, openCronHost, snapshot } from "../../integration/adopt-scene.ts";
import { openRegisterScene, WITH_BASE } from "../../integration/register-scene.ts";
import type { Bench, Subject } from "./bench.ts";
import { GATE_ENV } from "./gated-command.ts";
import { exposedSecrets, leftovers, sessionFiles } from "./invariants.ts";

export const REGISTER: Subject = {
  command: "register",
  situation: "a fresh host",
  open: () => open((context) => openRegisterScene(context, { env: { TZ: "UTC" } }), WITH_BASE),
};

export const ADOPT: Subject = {
  command: "adopt",
  situation: "a host with a cron job",
  open: () => open((context) => openCronHost(context, { env: { TZ: "UTC" } }), ["adopt", "--yes"]),
};

const CREDENTIALS = "var/lib/idc-codedeploy-helper/credentials";
const AGENT_CONFIG = "etc/codedeploy-agent/conf/codedeploy.onpremises.yml";

async function open(
  openScene: (context: TestContext) => Promise<HostScene>,
  args: readonly string[],
): Promise<Bench> {
  const reference = await opened(openScene);
  const clean = await reference.scene.host.command(args, { env: operatorEnv() });
  if (clean.code !== 0)
    throw new Error(`${args[0]} fails when nothing is done to it:\n${clean.stdout}${clean.stderr}`);
  const wanted = JSON.stringify(endState(reference.scene), null, 1);
  await reference.close();

  let current = await opened(openScene);
  let isFresh = true;
  let before: string | null = null;
  const here = () => current.scene.host;
  const content = (path: string) => {
    const file = join(here().directory, path);
    return existsSync(file) ? readFileSync(file, "utf8") : null;
  };

  const faultsOfFiles = (): string[] => {
    const { emulator } = current.scene;
    const [credentials, config] = [content(CREDENTIALS), content(AGENT_CONFIG)];
    const faults: string[] = [];
    if (credentials !== null && !sessionFiles(emulator).includes(credentials)) {
      faults.push("the credentials file is none of AWS's");
    }
    const isWhole =
      config?.includes("iam_session_arn:") === true && config.endsWith("region: ap-northeast-2\n");
    if (config !== before && !isWhole)
      faults.push(`the agent's config is not whole: ${JSON.stringify(config)}`);
    const keys = [BASE_KEY, OPERATOR_KEY, ...emulator.sessions.list()].map((key) => key.secretAccessKey);
    // The service reads the base credentials as one of their group.
    const isGroups = (path: string) => /\/etc\/idc-codedeploy-helper\/\.?base-credentials/.test(path);
    return [
      ...faults,
      ...["etc", "var", "run", "root"].flatMap((top) =>
        exposedSecrets(join(here().directory, top), keys, isGroups),
      ),
    ];
  };

  return {
    get directory() {
      return "/etc/idc-codedeploy-helper";
    },
    prepare: async () => {
      if (!isFresh) {
        await current.close();
        current = await opened(openScene);
      }
      isFresh = false;
      before = content(AGENT_CONFIG);
    },
    start: () => here().start(args, { env: { ...operatorEnv(), ...GATE_ENV } }),
    judge: async () => {
      const faults = faultsOfFiles();
      const next = await here().command(args, { env: operatorEnv() });
      if (next.code !== 0) faults.push(`run again, it failed: ${next.stdout.slice(-600)}${next.stderr}`);
      faults.push(...faultsOfFiles());
      for (const top of ["etc", "var/spool", "root"]) faults.push(...leftovers(join(here().directory, top)));
      const end = JSON.stringify(endState(current.scene), null, 1);
      if (end !== wanted) faults.push(`run again, it came to another end: ${firstDifference(wanted, end)}`);
      return faults;
    },
    close: () => current.close(),
  };
}

async function opened(openScene: (context: TestContext) => Promise<HostScene>) {
  const ends: (() => Promise<void>)[] = [];
  const scene = await openScene({ onTestFinished: (end) => void ends.push(end) });
  const close = async () => {
    for (const end of ends.toReversed()) await end();
  };
  return { scene, close };
}

/** Without what no two hosts have in common: times, sessions, random names. */
function endState(scene: HostScene): object {
  const { host, emulator } = scene;
  const files = [...snapshot(scene)].map(([path, text]) => {
    const said = path === OLD_FILE ? text.replace(/ = .*/g, " = …") : text;
    return [path.replace(/\d{8}T\d{9}Z/, "TIME"), said.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")];
  });
  const instances = emulator.instances.list().map(({ name, deregisteredAt, tags, iamSessionArn }) => {
    return { name, isRegistered: deregisteredAt === null, tags, iamSessionArn };
  });
  return {
    files: Object.fromEntries(files.toSorted()),
    instances,
    active: [HELPER, REQUESTS, AGENT].map((unit) => host.services.isActive(unit)),
    isEnabled: host.services.isEnabled(HELPER),
  };
}

function firstDifference(wanted: string, found: string): string {
  const lines = found.split("\n");
  const at = wanted.split("\n").findIndex((line, n) => line !== lines[n]);
  return `line ${at}: ${wanted.split("\n")[at]} became ${lines[at]}`;
}
