/** `register` killed with SIGKILL in the middle of a step, and run again: the end is that of an undisturbed run. */
import { describe, expect, test } from "vitest";
import { allow, BASE_KEY, ROLE_ARN, trust } from "../aws-emulator/emulator.ts";
import type { FaultSpec } from "../aws-emulator/faults/fault.ts";
import { BASE_CREDENTIALS_FILE, CONFIG_FILE, HELPER, operatorEnv } from "../harness/host-root.ts";
import type { HostScene } from "../harness/host-scene.ts";
import { expectSameEnd } from "./register-end-state.ts";
import {
  instanceOf,
  openRegisterScene,
  REGION,
  REGISTRATION_FILE,
  registered,
  run,
  SERIAL,
  stepsOf,
  under,
  WITH_BASE,
} from "./register-scene.ts";

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

describe.concurrent("register, cut off", () => {
  test.for([
    ["RegisterOnPremisesInstance", "hang", "that never reached AWS"],
    ["RegisterOnPremisesInstance", "hang-mid-body", "that AWS carried out"],
    ["AddTagsToOnPremisesInstances", "hang", "that never reached AWS"],
    ["AddTagsToOnPremisesInstances", "hang-mid-body", "that AWS carried out"],
  ] as const)(
    "during the call %s (%s), %s, and run again, ends as if nothing had happened",
    async ([action, kind], context) => {
      const scene = await openRegisterScene(context);
      await killDuring(scene, action, kind);
      await expectSameEnd(scene);
    },
  );

  test("between its files says which of them it has written: a key may be among them", async (context) => {
    const scene = await openRegisterScene(context);
    scene.host.write(`${REGISTRATION_FILE}/in-the-way`, "");
    const { code, stderr } = await run(scene);
    expect([code, stderr]).toEqual([
      1,
      `\nDone and kept: wrote ${BASE_CREDENTIALS_FILE}, ${CONFIG_FILE}.\nNot done: start the service, get credentials; register with codedeploy; tag the instance; set the agent's config; have the agent run; read back, and see the agent poll.\nIt is safe to run idc-helper register again: it goes on where it stopped.\n`,
    ]);
  });

  test("between the files and the service's restart, gets the running service to use them all the same", async (context) => {
    const scene = await openRegisterScene(context);
    const { host, emulator } = scene;
    await registered(scene);
    const role = `${ROLE_ARN.replace(/[^/]+$/, "")}Other`;
    emulator.roles.put({ name: "Other", trustPolicy: trust("arn:aws:iam::123456789012:user/idc-base") });
    emulator.users.put({
      name: "idc-base",
      ...BASE_KEY,
      policies: [allow("sts:AssumeRole", [ROLE_ARN, role])],
    });
    emulator.instances.remove(REGION, SERIAL);
    const args = WITH_BASE.map((word) => (word === ROLE_ARN ? role : word));
    // As a kill leaves it: the files say another role than the service that runs has read.
    host.services.refuse("restart", HELPER, { stderr: "Killed" });
    const { stdout } = await run(scene, args);
    expect(stepsOf(stdout).at(-1)).toBe("FAIL Start the service, get credentials");
    host.services.allow("restart", HELPER);
    const again = await registered(scene, args);
    expect(under(again.stdout, "Start the service, get credentials")).toMatch(/^restarted; /);
    const arn = `arn:aws:sts::123456789012:assumed-role/Other/${SERIAL}`;
    expect([host.status()?.session_arn, instanceOf(scene)?.iamSessionArn]).toEqual([arn, arn]);
  });

  test("not at all, but refused its first credentials, repeats the service's own words, and a second run does not wait for it", async (context) => {
    const scene = await openRegisterScene(context);
    const { faults } = scene.emulator;
    // The first AssumeRole, which is register's own, meets a fault that changes nothing.
    faults.set({ match: { action: "AssumeRole" }, kind: "missing-field", field: "None", times: 1 });
    faults.set({ match: { action: "AssumeRole" }, kind: "deny" });
    const { code, stdout, stderr } = await run(scene);
    expect([code, under(stdout, "Start the service, get credentials")]).toEqual([
      1,
      expect.stringMatching(
        /^the service could not get its first credentials: AWS denies AssumeRole on arn:aws:iam::123456789012:role\/CodeDeployIDC-Instance-Profile: .* Let the base identity call sts:AssumeRole on this role/,
      ),
    ]);
    expect(stderr).toContain(
      "Done and kept: write config and base credentials.\nNot done: register with codedeploy;",
    );
    faults.clear();
    const again = await registered(scene);
    expect(under(again.stdout, "Start the service, get credentials")).toMatch(/^restarted; /);
  });
});
