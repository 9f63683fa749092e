/**
 * `register` and `adopt`, broken off, each time on a host and an account of their own: the second run must come to the
 * end of one that nobody disturbed.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BASE_KEY, OPERATOR_KEY } from "../../aws-emulator/emulator.ts";
import { eventually } from "../../harness/eventually.ts";
import { AGENT, HELPER, operatorEnv, REQUESTS } from "../../harness/host-root.ts";
import type { HostScene } from "../../harness/host-scene.ts";
import type { TestContext } from "../../harness/scene.ts";
import { OLD_FILE, openCronHost, snapshot } from "../../integration/adopt-scene.ts";
import { openRegisterScene, WITH_BASE } from "../../integration/register-scene.ts";
import { type Bench, type Known, once, type Subject } from "./bench.ts";
import { GATE_ENV } from "./gated-command.ts";
import { stateOf } from "./host-state.ts";
import { exposedSecrets, leftovers, sessionFiles } from "./invariants.ts";
import { speedUpSystemctl } from "./systemctl.ts";

type OpenScene = (context: TestContext) => Promise<HostScene>;

export const REGISTER = hostSubject(
  "register",
  "a fresh host",
  (context) => openRegisterScene(context, { env: { TZ: "UTC" } }),
  WITH_BASE,
);

/** Sessions last four minutes, so that no run sees one expire. */
const FACTOR = 15;
/** By then the cron job's session has most of its life before it. */
const OLDEST_HOST_MS = 60_000;

export const ADOPT = hostSubject(
  "adopt",
  "a host with a cron job",
  (context) => openCronHost(context, { env: { TZ: "UTC" }, timeFactor: FACTOR }),
  ["adopt", "--yes"],
);

const CREDENTIALS = "var/lib/idc-codedeploy-helper/credentials";
const AGENT_CONFIG = "etc/codedeploy-agent/conf/codedeploy.onpremises.yml";

/** What a run that nobody disturbs makes of the host, and what became of all that others left behind. */
interface Ends {
  /** The state before it, in which a run that changed nothing leaves the host. */
  pristine: string;
  wanted: string;
  known: Known;
}

function hostSubject(
  command: string,
  situation: string,
  openScene: OpenScene,
  args: readonly string[],
): Subject {
  let ends: Promise<Ends> | null = null;
  return {
    command,
    situation,
    open: async () => {
      ends ??= undisturbed(openScene, args);
      return open(openScene, args, await ends);
    },
    statesLeft: async () => (await ends)?.known.size ?? 0,
  };
}

async function undisturbed(openScene: OpenScene, args: readonly string[]): Promise<Ends> {
  const { scene, close } = await opened(openScene);
  try {
    const pristine = await settled(scene);
    const { code, stdout, stderr } = await scene.host.command(args, { env: operatorEnv() });
    if (code !== 0) throw new Error(`${args[0]} fails when nothing is done to it:\n${stdout}${stderr}`);
    return { pristine, wanted: endState(scene), known: new Map([[pristine, []]]) };
  } finally {
    await close();
  }
}

const settled = (scene: HostScene): Promise<string> =>
  eventually(
    () => stateOf(scene),
    () => "the host never comes to rest",
  );

async function open(
  openScene: OpenScene,
  args: readonly string[],
  { pristine, wanted, known }: Ends,
): Promise<Bench> {
  let current = await opened(openScene);
  let openedAt = performance.now();
  let isPristine = true;
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

  const faultsOfNextRun = async (): Promise<string[]> => {
    const next = await here().command(args, { env: operatorEnv() });
    const faults = next.code === 0 ? [] : [`run again, it failed: ${next.stdout.slice(-600)}${next.stderr}`];
    faults.push(...faultsOfFiles());
    for (const top of ["etc", "var/spool", "root"]) faults.push(...leftovers(join(here().directory, top)));
    const end = endState(current.scene);
    if (end !== wanted) faults.push(`run again, it came to another end: ${firstDifference(wanted, end)}`);
    return faults;
  };

  return {
    directory: "/etc/idc-codedeploy-helper",
    prepare: async () => {
      if (!isPristine || performance.now() - openedAt > OLDEST_HOST_MS) {
        await current.close();
        current = await opened(openScene);
        openedAt = performance.now();
      }
      isPristine = true;
      before = content(AGENT_CONFIG);
    },
    start: () => {
      // Until it has been looked at.
      isPristine = false;
      return here().start(args, { env: { ...operatorEnv(), ...GATE_ENV } });
    },
    judge: async () => {
      const faults = faultsOfFiles();
      const left = stateOf(current.scene);
      const found = await once(known, left, faultsOfNextRun);
      isPristine = left === pristine;
      return [...faults, ...found];
    },
    close: () => current.close(),
  };
}

async function opened(openScene: (context: TestContext) => Promise<HostScene>) {
  const ends: (() => Promise<void>)[] = [];
  const scene = await openScene({ onTestFinished: (end) => void ends.push(end) });
  speedUpSystemctl(scene.host);
  const close = async () => {
    for (const end of ends.toReversed()) await end();
  };
  return { scene, close };
}

/** Without what no two hosts have in common: times, sessions, random names. */
function endState(scene: HostScene): string {
  const { host, emulator } = scene;
  const files = [...snapshot(scene)].map(([path, text]) => {
    const said = path === OLD_FILE ? text.replace(/ = .*/g, " = …") : text;
    return [path.replace(/\d{8}T\d{9}Z/, "TIME"), said.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")];
  });
  const instances = emulator.instances.list().map(({ name, deregisteredAt, tags, iamSessionArn }) => {
    return { name, isRegistered: deregisteredAt === null, tags, iamSessionArn };
  });
  const end = {
    files: Object.fromEntries(files.toSorted()),
    instances,
    active: [HELPER, REQUESTS, AGENT].map((unit) => host.services.isActive(unit)),
    isEnabled: host.services.isEnabled(HELPER),
  };
  return JSON.stringify(end, null, 1);
}

function firstDifference(wanted: string, found: string): string {
  const lines = found.split("\n");
  const at = wanted.split("\n").findIndex((line, n) => line !== lines[n]);
  return `line ${at}: ${wanted.split("\n")[at]} became ${lines[at]}`;
}
