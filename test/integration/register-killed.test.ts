/** `register` killed with SIGKILL at every point, and run again: the end is that of a run that nobody disturbed. */
import { describe, expect, test } from "vitest";
import type { FaultSpec } from "../aws-emulator/faults/fault.ts";
import { eventually } from "../harness/eventually.ts";
import { AGENT, differences, HELPER, operatorEnv, REQUESTS } from "../harness/host-root.ts";
import type { HostScene } from "../harness/host-scene.ts";
import type { TestContext } from "../harness/scene.ts";
import {
  changesAtAws,
  instanceOf,
  openRegisterScene,
  registered,
  SERIAL,
  WITH_BASE,
} from "./register-scene.ts";

/** They change nothing. */
const LOOKING = [
  "Check the arguments",
  "Check the host",
  "Identify the operator",
  "See that the name is free",
  "Assume the host's role",
];
const CHANGING = [
  "Write config and base credentials",
  "Start the service, get credentials",
  "Register with CodeDeploy",
  "Tag the instance",
  "Set the agent's config",
  "Have the agent run",
];

/** What a host and its account are like in the end; without times, random ids and what is written again and again. */
function endState(scene: HostScene) {
  const { host } = scene;
  const files = [...host.snapshot()].flatMap(([path, text]) => {
    if (!/^\/(etc\/(idc|codedeploy|systemd|cron)|root|home|tmp|var\/lib)/.test(path)) return [];
    const isChanging = /^\/var\/lib/.test(path);
    const [owners = "", ...content] = text.split("\n");
    const said = content.join("\n").replace(/"startedAt": "[^"]*"/, '"startedAt": "…"');
    return [[path, isChanging ? owners : `${owners}\n${said}`]];
  });
  const instance = instanceOf(scene);
  return {
    files: Object.fromEntries(files),
    registration: [instance?.iamSessionArn, instance?.deregisteredAt, instance?.tags],
    active: [HELPER, REQUESTS, AGENT].map((unit) => host.services.isActive(unit)),
    isEnabled: host.services.isEnabled(HELPER),
    status: host.status()?.state,
  };
}

/** One for the whole file: of a host of the same build. */
let reference: Promise<ReturnType<typeof endState>> | null = null;

async function undisturbed(): Promise<ReturnType<typeof endState>> {
  const ends: (() => Promise<void>)[] = [];
  try {
    const scene = await openRegisterScene({ onTestFinished: (end) => ends.push(end) });
    await registered(scene);
    return endState(scene);
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function expectSameEnd(scene: HostScene): Promise<void> {
  await registered(scene);
  reference ??= undisturbed();
  expect(endState(scene)).toEqual(await reference);
  // And a third has nothing left to do.
  expect((await registered(scene)).stdout).toContain(`Nothing had to be changed: ${SERIAL} is registered`);
}

async function killAfter({ host }: HostScene, title: string): Promise<void> {
  const command = host.start(WITH_BASE, { env: operatorEnv() });
  await eventually(
    () => command.output().includes(`  ${title}  `),
    () => `no step "${title}":\n${command.output()}`,
  );
  process.kill(command.pid, "SIGKILL");
  expect((await command.result).code).toBeNull();
}

async function killDuring(
  { host, emulator }: HostScene,
  action: string,
  kind: FaultSpec["kind"],
): Promise<void> {
  const fault = emulator.faults.set({ match: { action }, kind });
  const command = host.start(WITH_BASE, { env: operatorEnv() });
  await emulator.requests.waitFor((request) => request.action === action && request.fault !== null);
  process.kill(command.pid, "SIGKILL");
  await command.result;
  emulator.faults.clear(fault.id);
}

const open = (context: TestContext) => openRegisterScene(context);

describe.concurrent("register, killed", () => {
  test("while it only looks, has changed nothing", async (context) => {
    const scene = await open(context);
    const before = scene.host.snapshot();
    for (const title of LOOKING.slice(0, -1)) await killAfter(scene, title);
    expect(differences(before, scene.host.snapshot())).toEqual([]);
    expect([changesAtAws(scene), scene.host.services.changes()]).toEqual([[], []]);
    await killAfter(scene, LOOKING.at(-1) ?? "");
    await expectSameEnd(scene);
  });

  test.for(CHANGING)(
    "after the step “%s”, and run again, ends as if nothing had happened",
    async (title, context) => {
      const scene = await open(context);
      await killAfter(scene, title);
      await expectSameEnd(scene);
    },
  );

  test.for([
    ["RegisterOnPremisesInstance", "hang", "that never reached AWS"],
    ["RegisterOnPremisesInstance", "hang-mid-body", "that AWS carried out"],
    ["AddTagsToOnPremisesInstances", "hang", "that never reached AWS"],
    ["AddTagsToOnPremisesInstances", "hang-mid-body", "that AWS carried out"],
  ] as const)(
    "during the call %s (%s), %s, and run again, ends as if nothing had happened",
    async ([action, kind], context) => {
      const scene = await open(context);
      await killDuring(scene, action, kind);
      await expectSameEnd(scene);
    },
  );

  test("between the files and the service's restart, gets the running service to use them all the same", async (context) => {
    const scene = await open(context);
    const { host } = scene;
    await registered(scene);
    // As a run leaves it that was to set another role, and was killed before it came to the service.
    const other = "arn:aws:iam::123456789012:role/Other";
    const base = scene.emulator.users.list().find(({ name }) => name === "idc-base");
    scene.emulator.roles.put({
      name: "Other",
      trustPolicy: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { AWS: base?.arn ?? "" }, Action: "sts:AssumeRole" }],
      },
    });
    scene.emulator.state.directory.putUser({
      name: "idc-base",
      accessKeyId: "AKIAIDCBASE000000001",
      secretAccessKey: "emulator/base+secret/0123456789abcdefghi",
      policies: [
        { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" }] },
      ],
    });
    scene.emulator.instances.remove("ap-northeast-2", SERIAL);
    const args = WITH_BASE.map((word) => (word.startsWith("arn:") ? other : word));
    const command = host.start(args, { env: operatorEnv() });
    await eventually(
      () => command.output().includes("  Write config and base credentials  "),
      () => command.output(),
    );
    process.kill(command.pid, "SIGKILL");
    await command.result;
    await registered(scene, args);
    const arn = `arn:aws:sts::123456789012:assumed-role/Other/${SERIAL}`;
    expect([host.status()?.session_arn, instanceOf(scene)?.iamSessionArn]).toEqual([arn, arn]);
  });
});
