/** `idc-helper adopt`, and its undo, killed after each of their steps: run again, they come to the same end. */
import { test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { operatorEnv } from "../harness/host-root.ts";
import type { HostScene } from "../harness/host-scene.ts";
import type { Launched } from "../harness/launch.ts";
import type { TestContext } from "../harness/scene.ts";
import { OLD_FILE, openCronHost, openUserHost, snapshot, troubles } from "./adopt-scene.ts";

const ADOPT = [
  "Keep what is there now",
  "Write config and base credentials",
  "Start the service, get credentials",
  "Switch the agent's config to them",
  "Have the agent run",
  "Have the agent load it",
  "See the agent poll",
  "Take the old crontab entry out of force",
];
const ADOPT_USER = [
  ...ADOPT.slice(0, 2),
  "Register under its new name",
  "Give it the old one's tags",
  ...ADOPT.slice(2, 7),
  "Deregister the old name",
];
const UNDO = [
  "Note that an undo has begun",
  "Put the old crontab entry in force",
  "Have the old file hold good credentials",
  "Stop what would switch the agent back",
  "Put the agent's config back",
  "Have the agent load it",
  "See the agent poll",
  "Stop our service",
  "Take our files away",
];
const USER_ARGS = [
  "adopt",
  "--yes",
  "--serial",
  "SN-4711",
  "--role-arn",
  "arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile",
  "--base-credentials",
  "/root/base.ini",
];

/** Kills it as soon as the step has been shown as over. */
async function killAfter(title: string, launched: Launched): Promise<void> {
  await eventually(
    () =>
      new RegExp(`^  (?:done|kept|ok  |note)  ${RegExp.escape(title)} `, "m").test(work(launched.output())),
    () => `never came to "${title}":\n${launched.output()}`,
  );
  launched.process.kill("SIGKILL");
  await launched.result;
}

/** What was done, behind the plan. */
const work = (output: string) =>
  output.slice(Math.max(output.indexOf("Adopting this host"), output.indexOf("Undoing the")));

/** Without what no two hosts have in common: sessions and times. */
function endState(scene: HostScene): object {
  const { host, emulator } = scene;
  const files = [...snapshot(scene)].map(([path, content]) => {
    const plain = path === OLD_FILE ? content.replace(/ = .*/g, " = …") : content;
    return [path.replace(/\d{8}T\d{9}Z/, "TIME"), plain.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")];
  });
  const instances = emulator.instances.list().map(({ name, deregisteredAt, tags, iamSessionArn }) => {
    return { name, isRegistered: deregisteredAt === null, tags, iamSessionArn };
  });
  const { services } = host;
  const helper = "idc-codedeploy-helper.service";
  return {
    files: Object.fromEntries(files.sort()),
    instances,
    service: [services.isActive(helper), services.isEnabled(helper)],
  };
}

async function mustPass(scene: HostScene, args: string[]): Promise<void> {
  const { code, stdout, stderr } = await scene.host.command(args, { env: operatorEnv() });
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
}

/** The end of one that nobody interrupts; found out once. */
function reference(open: (context: TestContext) => Promise<HostScene>, ...commands: string[][]) {
  let end: Promise<object> | null = null;
  return (context: TestContext) => {
    end ??= open(context).then(async (scene) => {
      for (const args of commands) await mustPass(scene, args);
      return endState(scene);
    });
    return end;
  };
}

const adopted = reference(openCronHost, ["adopt", "--yes"]);
const undone = reference(openCronHost, ["adopt", "--yes"], ["adopt", "--undo", "--yes"]);
const moved = reference(openUserHost, USER_ARGS);

for (const title of ADOPT) {
  test.concurrent(`adopt of a cron host, killed after "${title}"`, async (context) => {
    const expected = await adopted(context);
    const scene = await openCronHost(context);
    await killAfter(title, scene.host.start(["adopt", "--yes"], { env: operatorEnv() }));
    await mustPass(scene, ["adopt", "--yes"]);
    context.expect(endState(scene)).toEqual(expected);
    context.expect(troubles(scene)).toEqual([]);
  });
}

for (const title of UNDO) {
  test.concurrent(`adopt --undo, killed after "${title}"`, async (context) => {
    const expected = await undone(context);
    const scene = await openCronHost(context);
    await mustPass(scene, ["adopt", "--yes"]);
    await killAfter(title, scene.host.start(["adopt", "--undo", "--yes"]));
    await mustPass(scene, ["adopt", "--undo", "--yes"]);
    context.expect(endState(scene)).toEqual(expected);
    context.expect(troubles(scene)).toEqual([]);
  });
}

for (const title of ADOPT_USER) {
  test.concurrent(`adopt of an IAM user's host, killed after "${title}"`, async (context) => {
    const expected = await moved(context);
    const scene = await openUserHost(context);
    await killAfter(title, scene.host.start(USER_ARGS, { env: operatorEnv() }));
    await mustPass(scene, USER_ARGS);
    context.expect(endState(scene)).toEqual(expected);
    context.expect(troubles(scene)).toEqual([]);
  });
}
