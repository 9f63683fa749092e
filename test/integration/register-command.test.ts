/** `idc-helper register` from nothing, again, as JSON and as a dry run. */
import { statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BASE_KEY, OPERATOR_KEY } from "../aws-emulator/emulator.ts";
import { fixedSecret } from "../aws-emulator/identity/canary.ts";
import {
  AGENT,
  BASE_CREDENTIALS_FILE,
  CONFIG_FILE,
  CREDENTIALS_FILE,
  differences,
  HELPER,
  ON_PREMISES_CONFIG_FILE,
  REQUESTS,
} from "../harness/host-root.ts";
import type { HostScene } from "../harness/host-scene.ts";
import {
  changesAtAws,
  iniOf,
  instanceOf,
  openRegisterScene,
  REGION,
  REGISTRATION_FILE,
  registered,
  run,
  SERIAL,
  SESSION_ARN,
  stepsOf,
  under,
  WITH_BASE,
} from "./register-scene.ts";

const FROM_NOTHING = [
  "ok Check the arguments",
  "ok Check the host",
  "ok Identify the operator",
  "ok See that the name is free",
  "ok Assume the host's role",
  "done Write config and base credentials",
  "done Start the service, get credentials",
  "done Register with CodeDeploy",
  "done Tag the instance",
  "done Set the agent's config",
  "done Have the agent run",
  "ok Read back, and see the agent poll",
];

/** `0644 root:root`, as a person sees it with ls -l. */
const ownership = ({ host }: HostScene, path: string) => host.snapshot().get(path)?.split("\n")[0];

/** What lies still: not what the service and the agent keep writing while they run. */
const still = ({ host }: HostScene) =>
  new Map(
    [...host.snapshot()].filter(([path]) => /^\/(etc|root|home|opt\/codedeploy-agent\/\.v|tmp)/.test(path)),
  );

describe.concurrent("register", () => {
  test("takes a host from nothing to one whose agent polls, step by step", async (context) => {
    const scene = await openRegisterScene(context);
    const { host, emulator } = scene;
    const { stdout, stderr } = await registered(scene);
    expect(stepsOf(stdout)).toEqual(FROM_NOTHING);
    expect(stderr).toBe("");
    expect(stdout).toContain(
      `\n\n${SERIAL} is registered, and its agent has what it needs. See how it stands: idc-helper status\n`,
    );
    expect(ownership(scene, CONFIG_FILE)).toBe("0644 root:root");
    expect(ownership(scene, REGISTRATION_FILE)).toBe("0644 root:root");
    expect(statSync(host.path(BASE_CREDENTIALS_FILE)).mode & 0o7777).toBe(0o640);
    if (process.getuid?.() === 0)
      expect(ownership(scene, BASE_CREDENTIALS_FILE)).toBe("0640 root:idc-helper");
    expect(
      host.read(CONFIG_FILE),
    ).toBe(`# Written by idc-helper register. Everything else has a default; idc-helper check-config shows what it comes to.
# Put a change in force with: systemctl reload idc-codedeploy-helper
serial: ${SERIAL}
region: ${REGION}
role_arn: arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile
`);
    expect(host.read(BASE_CREDENTIALS_FILE)).toBe(iniOf(BASE_KEY));
    expect(host.read(ON_PREMISES_CONFIG_FILE)).toContain(
      `iam_session_arn: ${SESSION_ARN}\naws_credentials_file: ${CREDENTIALS_FILE}\nregion: ${REGION}\n`,
    );
    expect(JSON.parse(host.read(REGISTRATION_FILE))).toMatchObject({
      state: "complete",
      serial: SERIAL,
      region: REGION,
      sessionArn: SESSION_ARN,
      machine: { productUuid: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(instanceOf(scene)).toMatchObject({
      region: REGION,
      iamSessionArn: SESSION_ARN,
      deregisteredAt: null,
      tags: [
        { Key: "Name", Value: "web" },
        { Key: "Env", Value: "prod" },
      ],
    });
    const { services } = host;
    expect([HELPER, REQUESTS, AGENT].map((unit) => services.isActive(unit))).toEqual([true, true, true]);
    expect(services.isEnabled(HELPER)).toBe(true);
    expect(services.changes()).toEqual([
      `enable ${HELPER}`,
      `start ${HELPER}`,
      `enable ${AGENT}`,
      `start ${AGENT}`,
    ]);
    // A reboot must not leave it stopped.
    expect(services.isEnabled(AGENT)).toBe(true);
    await emulator.requests.waitFor(({ action, status }) => action === "PollHostCommand" && status === 200);
  });

  test("asks AWS who it is, whether the name is free and whether the role can be assumed, before it changes anything", async (context) => {
    const scene = await openRegisterScene(context);
    await registered(scene);
    const calls = scene.emulator.requests
      .list()
      .filter(({ service, action }) => action !== "" && service !== "codedeploy-commands")
      .map(({ action, principalArn }) => `${action} by ${principalArn?.split("/").at(-1)}`);
    expect(calls).toEqual([
      "GetCallerIdentity by operator",
      "GetOnPremisesInstance by operator",
      "AssumeRole by idc-base",
      "GetCallerIdentity by idc-base",
      "AssumeRole by idc-base",
      "GetOnPremisesInstance by operator",
      "RegisterOnPremisesInstance by operator",
      "GetOnPremisesInstance by operator",
      "AddTagsToOnPremisesInstances by operator",
      "GetOnPremisesInstance by operator",
    ]);
  });

  test("run twice, the second run changes nothing, on the host or at AWS, and says so", async (context) => {
    const scene = await openRegisterScene(context);
    const { host, emulator } = scene;
    await registered(scene);
    const before = still(scene);
    const [agentPid, helperPid] = [host.services.agent.mainPid, host.services.helper.mainPid];
    emulator.requests.clear();
    host.services.calls.length = 0;
    // The tags are known from the first time, and the base credentials are in place.
    const { stdout } = await registered(scene, ["register"]);
    expect(stepsOf(stdout)).toEqual(FROM_NOTHING.map((step) => step.replace("done", "kept")));
    expect(stdout).toContain(
      `\nNothing had to be changed: ${SERIAL} is registered, and its agent has what it needs.\n`,
    );
    expect(differences(before, still(scene))).toEqual([]);
    expect(changesAtAws(scene)).toEqual([]);
    expect(host.services.changes()).toEqual([]);
    expect([host.services.agent.mainPid, host.services.helper.mainPid]).toEqual([agentPid, helperPid]);
  });

  test("an agent that runs without a config, and so without a worker that lives, is given one and polls", async (context) => {
    const scene = await openRegisterScene(context, { agent: "running" });
    const { host } = scene;
    const agentPid = host.services.agent.mainPid;
    const { stdout } = await registered(scene);
    expect(under(stdout, "Have the agent run")).toContain("codedeploy-agent.service");
    expect(stepsOf(stdout).at(-1)).toBe("ok Read back, and see the agent poll");
    // Its control group may hold deployed applications: it is never restarted.
    expect(host.services.changes()).not.toContain(`restart ${AGENT}`);
    expect(host.services.agent.mainPid).toBe(agentPid);
  });

  test("with --json it answers with one document, and says nothing else", async (context) => {
    const scene = await openRegisterScene(context);
    const first = await registered(scene, [...WITH_BASE, "--json"]);
    expect([first.stderr, first.stdout.trim().split("\n").length]).toEqual(["", 1]);
    const { result, steps } = JSON.parse(first.stdout);
    expect(result).toBe("changed");
    expect(steps[7]).toEqual({
      step: "registration",
      title: "Register with CodeDeploy",
      state: "done",
      detail: `${SERIAL} registered as ${SESSION_ARN}`,
      notes: [],
      tookMs: expect.any(Number),
    });
    expect(JSON.parse((await registered(scene, ["register", "--json"])).stdout).result).toBe("kept");
  });

  test("with --json a failure, before the steps or in them, is a document too", async (context) => {
    const scene = await openRegisterScene(context);
    const early = await run(scene, ["register", "--serial", "a b", "--json"]);
    expect([early.code, early.stderr, JSON.parse(early.stdout)]).toEqual([
      2,
      "",
      expect.objectContaining({ result: "failed", kind: "usage", steps: [], left: [] }),
    ]);
    scene.emulator.faults.set({ match: { action: "AddTagsToOnPremisesInstances" }, kind: "throttle" });
    const late = await run(scene, [...WITH_BASE, "--json"]);
    expect([late.code, late.stderr, JSON.parse(late.stdout)]).toEqual([
      1,
      "",
      expect.objectContaining({
        result: "failed",
        kind: "throttled",
        left: ["Set the agent's config", "Have the agent run", "Read back, and see the agent poll"],
      }),
    ]);
  });

  test("--dry-run shows every file's diff and no secret, and changes nothing anywhere", async (context) => {
    const scene = await openRegisterScene(context);
    const { host, emulator } = scene;
    const before = host.snapshot();
    const { stdout, stderr } = await registered(scene, [...WITH_BASE, "--dry-run"]);
    expect(differences(before, host.snapshot())).toEqual([]);
    expect(host.services.changes()).toEqual([]);
    expect(changesAtAws(scene)).toEqual([]);
    expect(emulator.instances.list()).toEqual([]);
    expect(stepsOf(stdout)).toEqual([
      ...FROM_NOTHING.slice(0, 5),
      "plan Write config and base credentials",
      "plan Start the service, get credentials",
      "plan Register with CodeDeploy",
      "plan Tag the instance",
      "plan Set the agent's config",
      "plan Have the agent run",
      "kept Read back, and see the agent poll",
    ]);
    expect(stdout).toContain(`
        --- /dev/null
        +++ ${CONFIG_FILE}
        @@ -0,0 +1,5 @@
`);
    expect(stdout).toContain(`        +serial: ${SERIAL}\n`);
    expect(stdout).toContain(
      `--- ${BASE_CREDENTIALS_FILE} (mode 0640): its content is secret and not shown\n`,
    );
    expect(stdout).toContain(`        +++ ${REGISTRATION_FILE}\n`);
    expect(stdout).toContain(
      `        +++ ${ON_PREMISES_CONFIG_FILE}\n        +iam_session_arn: ${SESSION_ARN}\n`,
    );
    expect(stdout).toContain(`add Name=web, Env=prod`);
    expect(stdout).toContain("\nNothing was changed. Without --dry-run, the steps above are taken.\n");
    for (const secret of [BASE_KEY.secretAccessKey, OPERATOR_KEY.secretAccessKey])
      expect(stdout + stderr).not.toContain(secret);
  });

  test("--dry-run shows no secret of an old agent's config, and its lines that go", async (context) => {
    const scene = await openRegisterScene(context);
    const secret = fixedSecret("IAM user");
    const old = `---\naws_access_key_id: AKIAOLDOLDOLDOLDOLD1\naws_secret_access_key: ${secret}\niam_user_arn: arn:aws:iam::123456789012:user/old\nregion: ap-northeast-2\n`;
    scene.host.write(ON_PREMISES_CONFIG_FILE, old, { mode: 0o600 });
    const { stdout } = await registered(scene, [...WITH_BASE, "--replace", "--dry-run"]);
    expect(stdout).toContain("        -iam_user_arn: arn:aws:iam::123456789012:user/old\n");
    expect(stdout).toContain("        -aws_secret_access_key: ***\n");
    expect(stdout).not.toContain(secret);
    expect(stdout).not.toContain("AKIAOLDOLD");
  });

  test("leaves a host that polls under another identity to adopt, and touches nothing", async (context) => {
    const scene = await openRegisterScene(context);
    const old = "arn:aws:sts::123456789012:assumed-role/Old/web-01";
    scene.host.write(
      ON_PREMISES_CONFIG_FILE,
      `iam_session_arn: ${old}\naws_credentials_file: /etc/old\nregion: ap-northeast-2\n`,
    );
    const { code, stderr } = await run(scene);
    expect([code, stderr]).toEqual([
      1,
      `this host's agent polls as ${old} already (${ON_PREMISES_CONFIG_FILE}); registering would take it out of its deployment groups\n  Move it over with: idc-helper adopt. If that identity is of no use any more: add --replace.\n`,
    ]);
    expect([changesAtAws(scene), scene.host.services.changes()]).toEqual([[], []]);
  });

  test("--dry-run on a host that is registered says that nothing is to be done", async (context) => {
    const scene = await openRegisterScene(context);
    await registered(scene);
    scene.emulator.requests.clear();
    const { stdout } = await registered(scene, [...WITH_BASE, "--dry-run"]);
    expect(stepsOf(stdout).filter((step) => step.startsWith("plan"))).toEqual([]);
    expect(stdout).toContain(`\nNothing had to be changed: ${SERIAL} is registered`);
    expect(changesAtAws(scene)).toEqual([]);
  });

  test("a tag more is added, and those of others stay", async (context) => {
    const scene = await openRegisterScene(context);
    await registered(scene);
    const { stdout } = await registered(scene, [...WITH_BASE, "--tag", "Rack=12"]);
    expect(under(stdout, "Tag the instance")).toBe("added Rack=12");
    expect(instanceOf(scene)?.tags).toHaveLength(3);
    expect(JSON.parse(scene.host.read(REGISTRATION_FILE)).tags).toHaveLength(3);
  });

  test("without a tag it works, and says what is missing", async (context) => {
    const scene = await openRegisterScene(context);
    const { stdout } = await registered(
      scene,
      WITH_BASE.filter((word) => !/^(--tag|\w+=\w+)$/.test(word)),
    );
    expect(stepsOf(stdout)).toContain("note Tag the instance");
    expect(under(stdout, "Tag the instance")).toBe(
      "the instance has no tags No deployment group can select an instance without tags. Add some: --tag Key=Value",
    );
  });
});
