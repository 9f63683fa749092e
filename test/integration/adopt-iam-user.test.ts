/** `idc-helper adopt` of a host registered with an IAM user: a new name, the same tags, and the key out of its config. */
import { describe, expect, test } from "vitest";
import { ROLE_ARN } from "../aws-emulator/emulator.ts";
import { eventually } from "../harness/eventually.ts";
import { CREDENTIALS_FILE, ON_PREMISES_CONFIG_FILE, operatorEnv } from "../harness/host-root.ts";
import type { HostScene } from "../harness/host-scene.ts";
import type { Launched } from "../harness/launch.ts";
import {
  changesInAws,
  configOfWorker,
  openUserHost,
  snapshot,
  TAGS,
  troubles,
  USER_ARN,
  USER_KEY,
} from "./adopt-scene.ts";

const SERIAL = "SN-4711";
const ARGS = ["adopt", "--serial", SERIAL, "--role-arn", ROLE_ARN, "--base-credentials", "/root/base.ini"];
const YES = [...ARGS, "--yes"];
const SESSION = `arn:aws:sts::123456789012:assumed-role/CodeDeployIDC-Instance-Profile/${SERIAL}`;

const instance = ({ emulator }: HostScene, name: string) =>
  emulator.instances.list().find((each) => each.name === name);

describe.concurrent("a host with an IAM user", () => {
  test("gets a name of its own with the same tags, polls as it, and only then loses the old one", async (context) => {
    const scene = await openUserHost(context);
    const { host, emulator } = scene;
    const { code, stdout, stderr } = await host.command(YES, { env: operatorEnv() });
    expect([code, stderr]).toEqual([0, ""]);
    expect(instance(scene, SERIAL)).toMatchObject({
      iamSessionArn: SESSION,
      tags: TAGS,
      deregisteredAt: null,
    });
    expect(instance(scene, "web-01")).toMatchObject({ deregisteredAt: expect.any(Date) });
    expect(changesInAws(scene)).toEqual([
      "RegisterOnPremisesInstance",
      "AddTagsToOnPremisesInstances",
      "DeregisterOnPremisesInstance",
    ]);
    // AWS knows the new name and its tags before the service, which switches the agent over, has its first session.
    const actions = emulator.requests.list().map(({ action }) => action);
    const [, first = -1] = actions.flatMap((action, n) => (action === "AssumeRole" ? [n] : []));
    expect(actions.indexOf("AddTagsToOnPremisesInstances")).toBeLessThan(first);
    // Somebody always polls for a registered instance that has the tags.
    const polls = emulator.requests.list().filter(({ action }) => action === "PollHostCommand");
    const { deregisteredAt } = instance(scene, "web-01") ?? {};
    const before = polls.filter(
      ({ endedAt }) => endedAt !== null && deregisteredAt && endedAt < deregisteredAt,
    );
    expect(before.some(({ principalArn }) => principalArn === USER_ARN)).toBe(true);
    expect(before.at(-1)?.principalArn).toBe(SESSION);
    expect(troubles(scene)).toEqual([]);
    expect(await configOfWorker(scene)).toBe(CREDENTIALS_FILE);
    expect(host.read(ON_PREMISES_CONFIG_FILE)).not.toContain(USER_KEY.secretAccessKey);
    expect(stdout).toContain(
      `aws iam delete-access-key --user-name web-01 --access-key-id ${USER_KEY.accessKeyId}`,
    );
    expect(stdout + stderr).not.toContain(USER_KEY.secretAccessKey);
  });

  test("a second time is success, changes nothing, and says again what can be deleted", async (context) => {
    const scene = await openUserHost(context);
    const { host, emulator } = scene;
    await host.command(YES, { env: operatorEnv() });
    const before = snapshot(scene);
    emulator.requests.clear();
    const { code, stdout } = await host.command(["adopt", "--json"], { env: operatorEnv() });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      result: "kept",
      can_be_deleted: { iam_user: "web-01", access_key_id: USER_KEY.accessKeyId },
    });
    expect(changesInAws(scene)).toEqual([]);
    expect(snapshot(scene)).toEqual(before);
  });

  test("--dry-run shows the whole plan and changes nothing, here or at AWS", async (context) => {
    const scene = await openUserHost(context);
    const before = snapshot(scene);
    const { code, stdout } = await scene.host.command([...ARGS, "--dry-run"], { env: operatorEnv() });
    expect(code).toBe(0);
    expect(stdout).toContain(`register ${SERIAL} as ${SESSION}`);
    expect(stdout).toContain("add Name=web, Stage=prod");
    expect(stdout).toContain("deregister web-01, once the agent was seen polling under its new name");
    expect(stdout).toContain("-aws_secret_access_key: ***");
    expect(stdout).not.toContain(USER_KEY.secretAccessKey);
    expect(snapshot(scene)).toEqual(before);
    expect(changesInAws(scene)).toEqual([]);
    expect(scene.host.services.changes()).toEqual([]);
  });

  test("an agent that is not seen polling under the new name keeps its old registration", async (context) => {
    const scene = await openUserHost(context);
    const { host, emulator } = scene;
    emulator.faults.set({ match: { action: "PollHostCommand" }, kind: "throttle" });
    const launched = host.start(YES, { env: operatorEnv() });
    await shownAsDone("Have the agent load it", launched);
    launched.process.kill("SIGINT");
    const { code, stdout } = await launched.result;
    expect(code).toBe(1);
    expect(stdout).toContain("interrupted");
    expect(instance(scene, "web-01")).toMatchObject({ deregisteredAt: null });
  });

  test("without --serial and --role-arn, both are asked for by name", async (context) => {
    const { host } = await openUserHost(context);
    const { code, stdout } = await host.command(["adopt", "--yes"], { env: operatorEnv() });
    expect(code).toBe(2);
    const said = stdout.replace(/\s+/g, " ");
    expect(said).toContain("--serial is missing: this host is registered with an IAM user");
    expect(said).toContain("--role-arn is missing: the role that the host is to assume");
  });

  test("the old name cannot be the new one: AWS keeps it taken", async (context) => {
    const { host } = await openUserHost(context);
    const args = YES.with(2, "web-01");
    const { code, stdout } = await host.command(args, { env: operatorEnv() });
    expect(code).toBe(1);
    expect(stdout.replace(/\s+/g, " ")).toContain(
      "web-01 is the name that the IAM user is registered under. The host needs another one",
    );
  });

  test("once begun, it goes on under the same name, or not at all", async (context) => {
    const { host } = await openUserHost(context);
    await host.command(YES, { env: operatorEnv() });
    const { code, stdout } = await host.command(YES.with(2, "SN-4712"), { env: operatorEnv() });
    expect(code).toBe(1);
    expect(stdout.replace(/\s+/g, " ")).toContain(
      `this host's adoption has begun as ${SERIAL} with ${ROLE_ARN}, not as SN-4712`,
    );
  });

  test("without operator's credentials it says so, and changes nothing", async (context) => {
    const scene = await openUserHost(context);
    const before = snapshot(scene);
    const { code, stdout, stderr } = await scene.host.command(YES);
    expect(code).toBe(1);
    expect(stdout).toContain("there are no operator's credentials");
    expect(stderr).toContain("Nothing was changed.");
    expect(snapshot(scene)).toEqual(before);
  });

  test("--undo is refused once the old name is gone, and says why", async (context) => {
    const scene = await openUserHost(context);
    const { host } = scene;
    await host.command(YES, { env: operatorEnv() });
    const before = snapshot(scene);
    const { code, stderr } = await host.command(["adopt", "--undo", "--yes"], { env: operatorEnv() });
    expect(code).toBe(1);
    expect(stderr).toContain("cannot be undone any more: the old registration web-01");
    expect(snapshot(scene)).toEqual(before);
  });

  test("--undo of an adoption that was cut short: the agent polls as the user again, the new name goes", async (context) => {
    const scene = await openUserHost(context);
    const { host } = scene;
    const before = snapshot(scene);
    const launched = host.start(YES, { env: operatorEnv() });
    await shownAsDone("Have the agent load it", launched);
    launched.process.kill("SIGKILL");
    await launched.result;
    const { code, stdout, stderr } = await host.command(["adopt", "--undo", "--yes"], { env: operatorEnv() });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`The adoption is undone: the agent polls as ${USER_ARN}, as before.`);
    expect(snapshot(scene)).toEqual(before);
    expect(instance(scene, "web-01")).toMatchObject({ deregisteredAt: null });
    expect(instance(scene, SERIAL)).toMatchObject({ deregisteredAt: expect.any(Date) });
    expect(troubles(scene)).toEqual([]);
  });
});

async function shownAsDone(title: string, launched: Launched): Promise<void> {
  const pattern = new RegExp(`^  (?:done|kept)  ${RegExp.escape(title)} `, "m");
  await eventually(
    () => pattern.test(launched.output().split("Adopting this host")[1] ?? ""),
    () => launched.output(),
  );
}
