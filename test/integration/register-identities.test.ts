/** The two identities of `register`: who may register, and what the host keeps. No secret goes where it need not. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { allow, BASE_KEY, OPERATOR_KEY, ROLE_ARN } from "../aws-emulator/emulator.ts";
import { fixedSecret, randomSecret } from "../aws-emulator/identity/canary.ts";
import { openSession } from "../aws-emulator/identity/open-session.ts";
import { eventually } from "../harness/eventually.ts";
import { BASE_CREDENTIALS_FILE, operatorEnv } from "../harness/host-root.ts";
import type { HostScene } from "../harness/host-scene.ts";
import {
  BASE_FILE,
  changesAtAws,
  iniOf,
  openRegisterScene,
  REGION,
  REGISTER,
  registered,
  run,
  SERIAL,
  stepsOf,
  under,
  WITH_BASE,
} from "./register-scene.ts";

const NOBODY = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };
const KEY_JSON = JSON.stringify({
  AccessKey: {
    UserName: "idc-base",
    AccessKeyId: BASE_KEY.accessKeyId,
    Status: "Active",
    SecretAccessKey: BASE_KEY.secretAccessKey,
    CreateDate: "2026-01-02T03:04:05+00:00",
  },
});
const WARNING = `The host's base credentials are the operator's own: whoever takes them from this host may register and deregister hosts. Give the host a key that may only assume ${ROLE_ARN}; idc-helper iam prints its policy.`;
const TEMPORARY =
  "are temporary: they would end within hours Give the key of an IAM user that may only assume the role (idc-helper iam prints its policy), or a credential_process.";

/** Where on the host a text lies, in files and in nothing else. */
function filesWith({ host }: HostScene, secret: string): string[] {
  return [...host.snapshot()].flatMap(([path, text]) => (text.includes(secret) ? [path] : []));
}

/** Empty for a process that has ended. */
function argumentsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** An operator who may do it all: the one key of many of today's hosts. */
function giveOperatorBothPowers({ emulator }: HostScene): void {
  const directory = emulator.state.directory;
  emulator.users.put({
    name: "operator",
    ...OPERATOR_KEY,
    policies: [allow(["codedeploy:*", "sts:AssumeRole"])],
  });
  const role = directory.roleByArn(ROLE_ARN);
  if (role === undefined) throw new Error("no role");
  emulator.roles.put({
    name: role.name,
    trustPolicy: {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: {
            AWS: ["user/idc-base", "user/operator"].map((user) => `arn:aws:iam::123456789012:${user}`),
          },
          Action: "sts:AssumeRole",
        },
      ],
    },
  });
}

/** What a failed run has left: nothing. */
async function refused(scene: HostScene, args: readonly string[], env: Record<string, string>, input = "") {
  const { code, stdout, stderr } = await run(scene, args, { env, input });
  expect(code).not.toBe(0);
  expect([changesAtAws(scene), scene.host.services.changes()]).toEqual([[], []]);
  expect(stdout + stderr).not.toMatch(/base\+secret|operator\+secret/);
  return stdout;
}

describe.concurrent("the operator of register", () => {
  test("is found in a profile, and is nowhere on the host afterwards", async (context) => {
    const scene = await openRegisterScene(context);
    const { host } = scene;
    host.write("/root/.aws/credentials", iniOf(OPERATOR_KEY, "admin"), { mode: 0o600 });
    const { code, stdout } = await run(scene, [...WITH_BASE, "--profile", "admin"], { env: NOBODY });
    expect(code).toBe(0);
    expect(under(stdout, "Identify the operator")).toBe(
      'arn:aws:iam::123456789012:user/operator (profile "admin"); not kept on this host',
    );
    expect(filesWith(scene, OPERATOR_KEY.secretAccessKey)).toEqual(["/root/.aws/credentials"]);
  });

  test("from the environment is kept in no file, no argument, no output and no log", async (context) => {
    const scene = await openRegisterScene(context);
    const { host } = scene;
    const { stdout, stderr } = await registered(scene);
    expect(filesWith(scene, OPERATOR_KEY.secretAccessKey)).toEqual([]);
    expect(filesWith(scene, OPERATOR_KEY.accessKeyId)).toEqual([]);
    expect(filesWith(scene, BASE_KEY.secretAccessKey)).toEqual([BASE_CREDENTIALS_FILE, BASE_FILE]);
    const said =
      stdout + stderr + host.services.helper.log + host.services.agent.log + JSON.stringify(host.status());
    for (const { secretAccessKey } of [OPERATOR_KEY, BASE_KEY]) expect(said).not.toContain(secretAccessKey);
    // Of what starts outside the service, nothing is handed a secret as an argument.
    expect(host.services.calls.map(({ verb, unit }) => `${verb} ${unit}`).join()).not.toMatch(/secret|AKIA/);
    for (const [path, text] of host.snapshot())
      if (text.includes(BASE_KEY.secretAccessKey)) expect(`${path} ${text}`).toMatch(/ 06[04]0 /);
  });

  test("is no argument of any process, nor is the base key", async (context) => {
    const scene = await openRegisterScene(context);
    const { host } = scene;
    const command = host.start(WITH_BASE, { env: operatorEnv() });
    const seen = new Set<string>();
    await eventually(
      () => {
        for (const pid of host.processes()) seen.add(argumentsOf(pid));
        return command.output().includes("Read back, and see the agent poll");
      },
      () => command.output(),
    );
    expect((await command.result).code).toBe(0);
    expect([...seen].some((line) => line.includes("idc-helper.cjs") || line.includes("register"))).toBe(true);
    for (const { secretAccessKey } of [OPERATOR_KEY, BASE_KEY])
      expect([...seen].filter((line) => line.includes(secretAccessKey))).toEqual([]);
  });

  test("is asked for where there is none", async (context) => {
    const scene = await openRegisterScene(context);
    expect(under(await refused(scene, WITH_BASE, NOBODY), "Identify the operator")).toBe(
      "there are no operator's credentials: the AWS SDK's default chain (environment, ~/.aws, SSO, instance metadata) found none Log in as someone who may register on-premises instances (idc-helper iam prints the policy), or name a profile with --profile. sudo hides your environment and ~/.aws: sudo AWS_SHARED_CREDENTIALS_FILE=/home/YOU/.aws/credentials idc-helper ... passes them on.",
    );
    const named = await refused(scene, [...WITH_BASE, "--profile", "nobody"], NOBODY);
    expect(under(named, "Identify the operator")).toMatch(
      /^there are no operator's credentials: profile "nobody" does not exist or gave none Log in as/,
    );
  });

  test("is told to log in again where the session has expired, and is told so before anything is changed", async (context) => {
    const scene = await openRegisterScene(context);
    scene.emulator.keys.setState(OPERATOR_KEY.accessKeyId, "expired");
    expect(under(await refused(scene, WITH_BASE, {}), "Identify the operator")).toBe(
      "the operator's credentials (the AWS SDK's default chain) have expired: The security token included in the request is expired Log in again (aws sso login, or fetch new temporary credentials) and run the command once more.",
    );
    scene.emulator.keys.setState(OPERATOR_KEY.accessKeyId, "invalid");
    expect(under(await refused(scene, WITH_BASE, {}), "Identify the operator")).toBe(
      "AWS does not accept the operator's credentials (the AWS SDK's default chain): The security token included in the request is invalid. Check them with: aws sts get-caller-identity; or choose others with --profile.",
    );
  });

  test("of another account is refused", async (context) => {
    const scene = await openRegisterScene(context);
    const args = WITH_BASE.map((word) => word.replace("123456789012", "210987654321"));
    expect(under(await refused(scene, args, {}), "Identify the operator")).toBe(
      "the operator (arn:aws:iam::123456789012:user/operator, the AWS SDK's default chain) is of account 123456789012, but the role arn:aws:iam::210987654321:role/CodeDeployIDC-Instance-Profile is of 210987654321 Log in to the role's account, choose its profile with --profile, or correct --role-arn.",
    );
  });
});

describe.concurrent("the base credentials of register", () => {
  const kept = iniOf(BASE_KEY);

  test.for([
    ["the JSON that aws iam create-access-key prints", KEY_JSON],
    [
      "the console's CSV",
      `\uFEFFAccess key ID,Secret access key\r\n${BASE_KEY.accessKeyId},${BASE_KEY.secretAccessKey}\r\n`,
    ],
    [
      "a shared-credentials file, of which only the key is taken over",
      `[admin]\naws_access_key_id = AKIAADMINADMINADMIN1\naws_secret_access_key = ${fixedSecret("foreign")}\n\n# ours\n${kept}region = us-east-1\n`,
    ],
  ] as const)("may come from %s", async ([, text], context) => {
    const scene = await openRegisterScene(context);
    scene.host.write("/root/key", text, { mode: 0o600 });
    await registered(scene, [...REGISTER, "--base-credentials", "key"]);
    expect(scene.host.read(BASE_CREDENTIALS_FILE)).toBe(kept);
  });

  test("may come from standard input", async (context) => {
    const scene = await openRegisterScene(context);
    const { code, stdout } = await run(scene, [...REGISTER, "--base-credentials", "-"], { input: KEY_JSON });
    expect([code, scene.host.read(BASE_CREDENTIALS_FILE)]).toEqual([0, kept]);
    expect(stdout).not.toContain(BASE_KEY.secretAccessKey);
  });

  test("that lie in their place in another form are put into the form that the service reads", async (context) => {
    const scene = await openRegisterScene(context);
    scene.host.write(BASE_CREDENTIALS_FILE, KEY_JSON, { mode: 0o600 });
    await registered(scene, REGISTER);
    expect(scene.host.read(BASE_CREDENTIALS_FILE)).toBe(kept);
  });

  test("that lie in their place with too wide a mode get the right one", async (context) => {
    const scene = await openRegisterScene(context);
    scene.host.write(BASE_CREDENTIALS_FILE, kept, { mode: 0o644 });
    const { stdout } = await registered(scene, REGISTER);
    expect(under(stdout, "Write config and base credentials")).toContain(`${BASE_CREDENTIALS_FILE} (0640)`);
    expect(scene.host.snapshot().get(BASE_CREDENTIALS_FILE)).toMatch(/^0640 root:/);
  });

  test("may be the operator's own long-lived key, with a warning that names idc-helper iam", async (context) => {
    const scene = await openRegisterScene(context);
    giveOperatorBothPowers(scene);
    const { stdout } = await registered(scene, REGISTER);
    expect(stepsOf(stdout)).toContain("note Assume the host's role");
    expect(under(stdout, "Assume the host's role")).toContain(WARNING);
    expect(scene.host.read(BASE_CREDENTIALS_FILE)).toBe(iniOf(OPERATOR_KEY));
    expect(filesWith(scene, OPERATOR_KEY.secretAccessKey)).toEqual([BASE_CREDENTIALS_FILE]);
    // Said again as long as it is so.
    expect(under((await registered(scene, REGISTER)).stdout, "Assume the host's role")).toContain(WARNING);
  });

  test("are refused where they are temporary", async (context) => {
    const scene = await openRegisterScene(context);
    const withToken = `${kept}aws_session_token = FwoGZXIvYXdzEBYaD\n`;
    scene.host.write("/root/token.ini", withToken, { mode: 0o600 });
    const answer = await refused(scene, [...REGISTER, "--base-credentials", "token.ini"], {});
    expect(under(answer, "Assume the host's role")).toBe(`the base credentials in token.ini ${TEMPORARY}`);
    const asia = iniOf({ ...BASE_KEY, accessKeyId: "ASIAIDCBASE000000001" });
    const second = await refused(scene, [...REGISTER, "--base-credentials", "-"], {}, asia);
    expect(under(second, "Assume the host's role")).toBe(
      `the base credentials in standard input ${TEMPORARY}`,
    );
  });

  test("are asked for where the operator's own are temporary", async (context) => {
    const scene = await openRegisterScene(context);
    const answer = await refused(scene, REGISTER, { AWS_SESSION_TOKEN: "" });
    // The operator's own long-lived key was tried, and may not assume the role.
    expect(under(answer, "Assume the host's role")).toContain(`AWS denies AssumeRole on ${ROLE_ARN}`);
    const role = scene.emulator.roles.put({
      name: "Admin",
      trustPolicy: {
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { AWS: "arn:aws:iam::123456789012:user/operator" },
            Action: "sts:AssumeRole",
          },
        ],
      },
      policies: [allow("codedeploy:*")],
    });
    const opened = {
      ...openSession(scene.emulator.state, {
        role,
        now: new Date(),
        name: "me",
        durationSeconds: 3_600,
        tags: {},
        sourceIdentity: null,
      }),
      // Theirs to put into the environment, unlike a host's.
      secretAccessKey: randomSecret("operator"),
      sessionToken: randomSecret("operator"),
    };
    scene.emulator.state.directory.addSession(opened);
    const env = {
      AWS_ACCESS_KEY_ID: opened.accessKeyId,
      AWS_SECRET_ACCESS_KEY: opened.secretAccessKey,
      AWS_SESSION_TOKEN: opened.sessionToken,
    };
    expect(under(await refused(scene, REGISTER, env), "Assume the host's role")).toBe(
      `there are no base credentials for this host: ${BASE_CREDENTIALS_FILE} does not exist, and the operator's own credentials are temporary and cannot be kept Give the key that may assume the role: --base-credentials FILE, or - for standard input (what aws iam create-access-key prints will do).`,
    );
    // With a key for the host, such an operator registers.
    expect((await run(scene, WITH_BASE, { env })).code).toBe(0);
    expect(filesWith(scene, opened.secretAccessKey)).toEqual([]);
  });

  test("may be a credential_process, of which only what the host needs is taken over", async (context) => {
    const scene = await openRegisterScene(context);
    const answer = JSON.stringify({
      Version: 1,
      AccessKeyId: BASE_KEY.accessKeyId,
      SecretAccessKey: BASE_KEY.secretAccessKey,
    });
    scene.host.write("/opt/signer", `#!/bin/sh\necho '${answer}'\n`, { mode: 0o755 });
    const text = `[admin]\naws_access_key_id = AKIAADMINADMINADMIN1\naws_secret_access_key = ${fixedSecret("foreign")}\n\n[default]\ncredential_process = /opt/signer\n`;
    scene.host.write("/root/process.ini", text, { mode: 0o600 });
    await registered(scene, [...REGISTER, "--base-credentials", "process.ini"]);
    expect(scene.host.read(BASE_CREDENTIALS_FILE)).toBe("[default]\ncredential_process = /opt/signer\n");
  });

  test.for([
    ["", "--base-credentials -: nothing came on standard input Such as: idc-helper register", 2],
    [
      "[default]\ncredential_process = /opt/signer\n",
      'profile "default" on standard input has no key of its own What names a credential_process or another source is tried first: give it as a file.',
      1,
    ],
    [
      "hello\n",
      "standard input holds no key in a form that is known: shared-credentials format, the JSON that aws iam create-access-key prints, or the console's CSV Such as: aws iam create-access-key --user-name idc-codedeploy-base > key.json",
      1,
    ],
    [
      "[other]\naws_access_key_id = AKIAIDCBASE000000001\n",
      'no base credentials: standard input has no profile "default" Add [default] with a key, or set base_credentials.profile.',
      1,
    ],
    [
      "[default]\naws_access_key_id = AKIAIDCBASE000000001\n",
      'no base credentials: profile "default" of standard input has only half a key It needs aws_access_key_id and aws_secret_access_key.',
      1,
    ],
  ] as const)(
    "on standard input that are none (%j) are told as such",
    async ([input, shown, exit], context) => {
      const scene = await openRegisterScene(context);
      const { code, stdout } = await run(scene, [...REGISTER, "--base-credentials", "-"], { input });
      expect([code, under(stdout, "Assume the host's role")]).toEqual([exit, expect.stringContaining(shown)]);
    },
  );

  test("in a file that is not there, or whose key is dead, are told as such, and nothing is changed", async (context) => {
    const scene = await openRegisterScene(context);
    const missing = await refused(scene, [...REGISTER, "--base-credentials", "/root/none"], {});
    expect(under(missing, "Assume the host's role")).toContain(
      "--base-credentials /root/none: there is no such file",
    );
    scene.emulator.keys.setState(BASE_KEY.accessKeyId, "invalid");
    expect(under(await refused(scene, WITH_BASE, {}), "Assume the host's role")).toBe(
      `AWS does not accept the base credentials (${BASE_FILE}): The security token included in the request is invalid. Check that the key is active in IAM and was copied whole; then replace it.`,
    );
    expect(scene.host.snapshot().has(BASE_CREDENTIALS_FILE)).toBe(false);
  });

  test("that may not assume the role are told what is missing, for the role and region asked for", async (context) => {
    const scene = await openRegisterScene(context);
    const args = ["register", "--serial", SERIAL, "--region", REGION, "--role-arn", `${ROLE_ARN}-x`];
    const answer = await refused(scene, [...args, "--base-credentials", BASE_FILE], {});
    expect(under(answer, "Assume the host's role")).toContain(
      `AWS denies AssumeRole on ${ROLE_ARN}-x: User: arn:aws:iam::123456789012:user/idc-base is not authorized to perform: sts:AssumeRole`,
    );
    expect(under(answer, "Assume the host's role")).toContain(
      "Let the base identity call sts:AssumeRole on this role, and name the identity in the role's trust policy.",
    );
  });
});
