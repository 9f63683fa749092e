/** `register` where AWS says no: every exception that CodeDeploy's service model lists for the calls it makes. */
import { describe, expect, test } from "vitest";
import { allow, OPERATOR_KEY } from "../aws-emulator/emulator.ts";
import type { FaultSpec } from "../aws-emulator/faults/fault.ts";
import { differences } from "../harness/host-root.ts";
import type { HostScene } from "../harness/host-scene.ts";
import {
  changesAtAws,
  instanceOf,
  openRegisterScene,
  REGION,
  registered,
  run,
  SERIAL,
  SESSION_ARN,
  stepsOf,
  under,
  WITH_BASE,
} from "./register-scene.ts";

const OTHER_ARN = "arn:aws:sts::123456789012:assumed-role/Other/serial-ABCDEFG";
const USER_ARN = "arn:aws:iam::123456789012:user/idc-host-7";

/** Refused before anything is changed, in the step that looks the name up. */
async function refusedAtOnce(scene: HostScene): Promise<string> {
  const before = scene.host.snapshot();
  const { code, stdout, stderr } = await run(scene);
  expect([code, stepsOf(stdout).at(-1)]).toEqual([1, "FAIL See that the name is free"]);
  expect(stderr).toBe(
    "\nNothing was changed.\nIt is safe to run idc-helper register again: it goes on where it stopped.\n",
  );
  expect(differences(before, scene.host.snapshot())).toEqual([]);
  expect([changesAtAws(scene), scene.host.services.changes()]).toEqual([[], []]);
  return under(stdout, "See that the name is free");
}

const putUserInstance = ({ emulator }: HostScene) =>
  emulator.state.instances.put({
    region: REGION,
    name: SERIAL,
    arn: `arn:aws:codedeploy:${REGION}:123456789012:instance/${SERIAL}_x`,
    iamSessionArn: null,
    iamUserArn: USER_ARN,
    registeredAt: new Date(),
    deregisteredAt: null,
    tags: [],
  });

describe.concurrent("register, where the name or the ARN is taken,", () => {
  test("refuses a name of another session, before it changes anything", async (context) => {
    const scene = await openRegisterScene(context);
    scene.emulator.instances.put({ name: SERIAL, region: REGION, iamSessionArn: OTHER_ARN });
    expect(await refusedAtOnce(scene)).toBe(
      `the name ${SERIAL} is registered with another ARN: ${OTHER_ARN}, not ${SESSION_ARN} If that is another host, choose another serial. If it is this host with an old role, deregister it first: aws deploy deregister-on-premises-instance --region ${REGION} --instance-name ${SERIAL}. AWS keeps a deregistered name taken for hours.`,
    );
  });

  test("refuses a name of an IAM user, and names adopt", async (context) => {
    const scene = await openRegisterScene(context);
    putUserInstance(scene);
    expect(await refusedAtOnce(scene)).toBe(
      `the name ${SERIAL} is registered with another ARN: ${USER_ARN}, not ${SESSION_ARN} It was registered with an IAM user; if it is this host, idc-helper adopt moves it over.`,
    );
  });

  test("refuses a deregistered name, and says that it takes hours to become free and how to see it", async (context) => {
    const scene = await openRegisterScene(context);
    const instance = scene.emulator.instances.put({
      name: SERIAL,
      region: REGION,
      iamSessionArn: SESSION_ARN,
    });
    scene.emulator.state.instances.put({ ...instance, deregisteredAt: new Date("2026-01-02T03:04:05Z") });
    scene.emulator.settings.change({ deregisteredNameBlockedMs: 100 * 365 * 86_400_000 });
    expect(await refusedAtOnce(scene)).toBe(
      `the name ${SERIAL} was deregistered at 2026-01-02T03:04:05.000Z, and AWS keeps a deregistered name taken for hours Run the same command again later (the name is free when aws deploy get-on-premises-instance --region ${REGION} --instance-name ${SERIAL} answers InstanceNotRegisteredException), or register under another serial.`,
    );
  });

  test("refuses tags of which there would be too many, before it changes anything", async (context) => {
    const scene = await openRegisterScene(context);
    const instance = scene.emulator.instances.put({
      name: SERIAL,
      region: REGION,
      iamSessionArn: SESSION_ARN,
    });
    const tags = Array.from({ length: 9 }, (_, at) => ({ Key: `k${at}`, Value: "v" }));
    scene.emulator.state.instances.put({ ...instance, tags });
    const shown = tags.map(({ Key }) => `${Key}=v`).join(", ");
    expect(await refusedAtOnce(scene)).toBe(
      `${SERIAL} has ${shown}; with Name=web, Env=prod there would be more than 10 Remove some in AWS (aws deploy remove-tags-from-on-premises-instances), or give fewer.`,
    );
  });

  test("takes the name with the same ARN for success", async (context) => {
    const scene = await openRegisterScene(context);
    scene.emulator.instances.put({ name: SERIAL, region: REGION, iamSessionArn: SESSION_ARN });
    const { stdout } = await registered(scene);
    expect(stepsOf(stdout)).toContain("kept Register with CodeDeploy");
    expect(stepsOf(stdout)).toContain("done Tag the instance");
    expect(changesAtAws(scene)).toEqual(["AddTagsToOnPremisesInstances"]);
  });

  test("says under which name the ARN is registered", async (context) => {
    const scene = await openRegisterScene(context);
    scene.emulator.instances.put({ name: "old-name", region: REGION, iamSessionArn: SESSION_ARN });
    const { code, stdout, stderr } = await run(scene);
    expect(code).toBe(1);
    expect(under(stdout, "Register with CodeDeploy")).toBe(
      `${SESSION_ARN} is registered under another name: old-name, not ${SERIAL} An ARN has one name. Deregister that one (aws deploy deregister-on-premises-instance --region ${REGION} --instance-name old-name; AWS keeps a deregistered name taken for hours), then run this again.`,
    );
    expect(stderr).toBe(
      "\nDone and kept: write config and base credentials; start the service, get credentials.\nNot done: tag the instance; set the agent's config; have the agent run; read back, and see the agent poll.\nIt is safe to run idc-helper register again: it goes on where it stopped.\n",
    );
  });

  test("says how to find the ARN's name where the operator may not list", async (context) => {
    const scene = await openRegisterScene(context);
    scene.emulator.instances.put({ name: "old-name", region: REGION, iamSessionArn: SESSION_ARN });
    const actions = ["Register", "Get", "AddTagsTo"].map(
      (verb) => `codedeploy:${verb}OnPremisesInstance${verb === "AddTagsTo" ? "s" : ""}`,
    );
    scene.emulator.users.put({ name: "operator", ...OPERATOR_KEY, policies: [allow(actions)] });
    const { code, stdout } = await run(scene);
    expect(code).toBe(1);
    expect(under(stdout, "Register with CodeDeploy")).toBe(
      `CodeDeploy refuses to register ${SERIAL} as ${SESSION_ARN}: The IAM session ARN is already registered with the on-premises instance old-name Find who has the ARN: aws deploy list-on-premises-instances --registration-status Registered --region ${REGION}, then aws deploy batch-get-on-premises-instances --instance-names ... Deregister that name (aws deploy deregister-on-premises-instance --instance-name NAME), or use a serial of this host's own.`,
    );
  });
});

const REGISTERING = "RegisterOnPremisesInstance";
const TAGGING = "AddTagsToOnPremisesInstances";
const LOOKING = "GetOnPremisesInstance";

const STEP: Record<string, string> = {
  [REGISTERING]: "Register with CodeDeploy",
  [TAGGING]: "Tag the instance",
  [LOOKING]: "See that the name is free",
};

const CORRECT = "Correct the serial, the role or the tags that were given.";
const refuses = (action: string) => `CodeDeploy refuses ${action} on ${SERIAL}: as ordered ${CORRECT}`;
const conflicts = `CodeDeploy refuses to register ${SERIAL} as ${SESSION_ARN}: as ordered Find who has the ARN:`;
const tooMany = `CodeDeploy refuses ${TAGGING} on ${SERIAL}: as ordered An on-premises instance has at most 10 tags: remove some, or give fewer.`;

/** All that the service model lists, and what a person reads. */
const EXCEPTIONS: [action: string, code: string, shown: string][] = [
  [REGISTERING, "IamArnRequiredException", refuses(REGISTERING)],
  [REGISTERING, "IamSessionArnAlreadyRegisteredException", conflicts],
  [REGISTERING, "IamUserArnAlreadyRegisteredException", conflicts],
  [REGISTERING, "IamUserArnRequiredException", refuses(REGISTERING)],
  [REGISTERING, "InstanceNameAlreadyRegisteredException", conflicts],
  [REGISTERING, "InstanceNameRequiredException", refuses(REGISTERING)],
  [REGISTERING, "InvalidIamSessionArnException", refuses(REGISTERING)],
  [REGISTERING, "InvalidIamUserArnException", refuses(REGISTERING)],
  [REGISTERING, "InvalidInstanceNameException", refuses(REGISTERING)],
  [REGISTERING, "MultipleIamArnsProvidedException", refuses(REGISTERING)],
  [TAGGING, "InstanceLimitExceededException", tooMany],
  [TAGGING, "InstanceNameRequiredException", refuses(TAGGING)],
  [
    TAGGING,
    "InstanceNotRegisteredException",
    `${SERIAL} is not registered with CodeDeploy: as ordered Register it: idc-helper register`,
  ],
  [TAGGING, "InvalidInstanceNameException", refuses(TAGGING)],
  [TAGGING, "InvalidTagException", refuses(TAGGING)],
  [TAGGING, "TagLimitExceededException", tooMany],
  [TAGGING, "TagRequiredException", refuses(TAGGING)],
  [LOOKING, "InstanceNameRequiredException", refuses(LOOKING)],
  [LOOKING, "InvalidInstanceNameException", refuses(LOOKING)],
];

describe.concurrent("register, at an exception of", () => {
  // One host for them all: each of them is a second run of the one before, which is what is to be safe.
  test("Register, AddTags and Get, says what was refused, what was done, and that it may be run again", async (context) => {
    const scene = await openRegisterScene(context);
    const seen: unknown[] = [];
    for (const [action, code, shown] of EXCEPTIONS) {
      const isTagging = action === TAGGING;
      if (!isTagging) scene.emulator.instances.remove(REGION, SERIAL);
      const fault: FaultSpec = { match: { action }, kind: "exception", code, message: "as ordered" };
      const { id } = scene.emulator.faults.set(fault);
      const { code: exit, stdout, stderr } = await run(scene);
      scene.emulator.faults.clear(id);
      const step = STEP[action] ?? "";
      expect([code, exit, stepsOf(stdout).at(-1)]).toEqual([code, 1, `FAIL ${step}`]);
      expect(`${code}: ${under(stdout, step)}`).toContain(`${code}: ${shown}`);
      expect(stderr).toContain("It is safe to run idc-helper register again: it goes on where it stopped.");
      // A registration without its tags is not passed over.
      if (isTagging) expect(stderr).toMatch(/^Not done: set the agent's config/m);
      seen.push(code);
    }
    expect(seen).toHaveLength(EXCEPTIONS.length);
    await registered(scene);
    expect(instanceOf(scene)?.tags).toHaveLength(2);
  });

  test("an InstanceNotRegisteredException of Get is no failure: the name is free", async (context) => {
    const scene = await openRegisterScene(context);
    const { stdout } = await registered(scene);
    expect(under(stdout, "See that the name is free")).toBe(`${SERIAL} is free`);
  });

  test("throttling and server errors tell the operator to run it again, and a second run completes", async (context) => {
    const scene = await openRegisterScene(context);
    scene.emulator.faults.set({ match: { action: REGISTERING }, kind: "throttle", times: 1 });
    const first = await run(scene);
    expect(under(first.stdout, "Register with CodeDeploy")).toBe(
      `AWS throttles ${REGISTERING}: Rate exceeded It passes: run the same command again in a minute.`,
    );
    scene.emulator.faults.set({ match: { action: TAGGING }, kind: "error-500", times: 1 });
    const second = await run(scene);
    expect(under(second.stdout, "Tag the instance")).toMatch(
      /^127\.0\.0\.1:\d+ answered AddTagsToOnPremisesInstances with HTTP 500 It passes: run the same command again in a minute\. If it lasts, see health\.aws\.amazon\.com\.$/,
    );
    expect(second.stderr).toContain("Done and kept: register with codedeploy.");
    await registered(scene);
    expect(instanceOf(scene)?.tags).toHaveLength(2);
  });

  test("an operator who may not register is told which right is missing, before the host is touched as far as it can be known", async (context) => {
    const scene = await openRegisterScene(context);
    scene.emulator.users.put({
      name: "operator",
      ...OPERATOR_KEY,
      policies: [allow("codedeploy:GetOnPremisesInstance")],
    });
    const { code, stdout } = await run(scene, WITH_BASE);
    expect(code).toBe(1);
    expect(under(stdout, "Register with CodeDeploy")).toBe(
      `AWS denies ${REGISTERING} on ${SERIAL}: User: arn:aws:iam::123456789012:user/operator is not authorized to perform: codedeploy:${REGISTERING} on resource: arn:aws:codedeploy:${REGION}:123456789012:instance:${SERIAL} Let the operator call codedeploy:${REGISTERING}; idc-helper iam prints the whole policy.`,
    );
    scene.emulator.users.put({ name: "operator", ...OPERATOR_KEY, policies: [] });
    const second = await run(scene, WITH_BASE);
    expect(under(second.stdout, "See that the name is free")).toContain(
      `Let the operator call codedeploy:${LOOKING}; idc-helper iam prints the whole policy.`,
    );
  });
});
