/** `register` as a new user meets it: wrong arguments, a host that is not ready, a network that is not there. */
import { rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BASE_KEY, ROLE_ARN } from "../aws-emulator/emulator.ts";
import { AGENT, CONFIG_FILE, differences, HELPER, operatorEnv } from "../harness/host-root.ts";
import { startProxy } from "../harness/proxy.ts";
import {
  changesAtAws,
  openRegisterScene,
  REGION,
  REGISTER,
  registered,
  run,
  SERIAL,
  SESSION_ARN,
  stepsOf,
  under,
  untimed,
  WITH_BASE,
} from "./register-scene.ts";

const EXAMPLE = `  Such as: idc-helper register --serial auto --region ap-northeast-2 --role-arn arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile --tag Name=web\n`;
const SERIAL_RULE =
  "auto, or 2 to 64 of the characters A-Z a-z 0-9 _ + = , . @ - and not starting with i- (it is both the role session name and the CodeDeploy instance name)";
const ROLE_RULE =
  "the ARN of an IAM role, such as arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile";
const TAGS_11 = Array.from({ length: 11 }, (_, at) => ["--tag", `k${at}=v`]).flat();
const GOOD = ["register", "--serial", SERIAL, "--region", REGION, "--role-arn", ROLE_ARN];
const without = (flag: string) =>
  GOOD.filter((_, at) => at !== GOOD.indexOf(flag) && at !== GOOD.indexOf(flag) + 1);
const withFlag = (flag: string, value: string) => [...without(flag), flag, value];

/** What was typed, and what is shown. */
const MISTAKES: [name: string, args: string[], shown: string][] = [
  [
    "nothing at all",
    ["register"],
    `3 things are wrong with the arguments:\n  --region is missing: REGION_RULE\n  --role-arn is missing: ROLE_RULE\n  --serial is missing: SERIAL_RULE\n`,
  ],
  [
    "a role's name in place of its ARN",
    withFlag("--role-arn", "CodeDeployIDC"),
    `--role-arn "CodeDeployIDC": allowed is ROLE_RULE\n`,
  ],
  [
    "a session's ARN in place of the role's",
    withFlag("--role-arn", SESSION_ARN),
    `--role-arn "${SESSION_ARN}": allowed is ROLE_RULE\n`,
  ],
  ["a region that is none", withFlag("--region", "seoul"), `--region "seoul": allowed is REGION_RULE\n`],
  [
    "a region of another partition than the role's",
    withFlag("--region", "cn-north-1"),
    `--region cn-north-1 is in the partition aws-cn, but --role-arn is in aws\n`,
  ],
  ["a serial with spaces", withFlag("--serial", "web 1"), `--serial "web 1": allowed is SERIAL_RULE\n`],
  [
    "a serial like an EC2 instance's",
    withFlag("--serial", "i-0abc"),
    `--serial "i-0abc": allowed is SERIAL_RULE\n`,
  ],
  ["an empty serial", withFlag("--serial", ""), `--serial is missing: SERIAL_RULE\n`],
  ["11 tags", [...GOOD, ...TAGS_11], "11 tags are given; an on-premises instance has at most 10\n"],
  ["a tag without value", [...GOOD, "--tag", "Name"], '--tag "Name": it has no value; write Key=Value\n'],
  [
    "a tag with an empty value",
    [...GOOD, "--tag", "Name="],
    '--tag "Name=": the key "Name" has no value; write Name=Value\n',
  ],
  ["a tag without key", [...GOOD, "--tag", "=web"], '--tag "=web": it has no key; write Key=Value\n'],
  ["a tag twice", [...GOOD, "--tag", "A=1", "--tag", "A=2"], '--tag "A" is given more than once\n'],
  [
    "a tag that is too long",
    [...GOOD, "--tag", `Name=${"x".repeat(257)}`],
    `--tag "Name=${"x".repeat(95)}…": its value has 257 characters; at most 256 are allowed\n`,
  ],
  [
    "http for the agent's package",
    [...GOOD, "--install-agent", "--agent-source", "http://mirror.example/agent"],
    "--agent-source must be an https:// URL without user, password and query, a file:// URL or an absolute path: what it gives is run as root\n",
  ],
  [
    "a password in the agent's source",
    [...GOOD, "--install-agent", "--agent-source", "https://me:secret@mirror.example/agent"],
    "--agent-source must be an https:// URL without user, password and query, a file:// URL or an absolute path: what it gives is run as root\n",
  ],
  [
    "several things at once",
    ["register", "--serial", "a b", "--region", REGION, "--tag", "x"],
    `3 things are wrong with the arguments:\n  --role-arn is missing: ROLE_RULE\n  --serial "a b": allowed is SERIAL_RULE\n  --tag "x": it has no value; write Key=Value\n`,
  ],
];

describe.concurrent("register, typed wrongly,", () => {
  test("says everything that is wrong, by its flag, and gives an example", async (context) => {
    const { host } = await openRegisterScene(context);
    const before = host.snapshot();
    for (const [name, args, shown] of MISTAKES) {
      const expected = shown
        .replaceAll("REGION_RULE", "an AWS region, such as ap-northeast-2")
        .replaceAll("SERIAL_RULE", SERIAL_RULE)
        .replaceAll("ROLE_RULE", ROLE_RULE);
      const answer = await host.command(args, { env: operatorEnv() });
      expect([name, answer]).toEqual([name, { code: 2, stdout: "", stderr: expected + EXAMPLE }]);
    }
    expect(differences(before, host.snapshot())).toEqual([]);
  });

  test("with a flag that does not exist, names the flag and the help", async (context) => {
    const { host } = await openRegisterScene(context);
    expect(await host.command([...GOOD, "--tags", "A=1"])).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "error: unknown option '--tags'\n(Did you mean --tag?)\nRun idc-helper --help for the commands and their options.\n",
    });
  });

  test.for([
    [["--secret-access-key=hunter2"], "unknown option '--secret-access-key=...'"],
    [["hunter2"], "too many arguments for 'register'. Expected 0 arguments but got 1."],
  ] as const)(
    "repeats nothing of %j, which may be a secret, and answers with JSON",
    async ([args, said], context) => {
      const scene = await openRegisterScene(context);
      const { code, stdout, stderr } = await run(scene, [...REGISTER, ...args, "--json"]);
      expect(code).toBe(2);
      expect(stderr).toContain(said);
      expect(JSON.parse(stdout)).toMatchObject({
        result: "failed",
        kind: "usage",
        message: `error: ${said}`,
      });
      expect(stdout + stderr).not.toContain("hunter2");
    },
  );

  test("with a key in place of its file does not repeat it, and says what it has become", async (context) => {
    const scene = await openRegisterScene(context);
    const secret = BASE_KEY.secretAccessKey;
    const { code, stdout, stderr } = await run(scene, [...REGISTER, "--base-credentials", secret]);
    expect([code, stdout]).toEqual([2, expect.stringContaining("it is no secret any more")]);
    expect(stdout + stderr).not.toContain(secret);
  });

  test("shows every flag with --help", async (context) => {
    const { host } = await openRegisterScene(context);
    const { code, stdout } = await host.command(["register", "--help"]);
    expect(code).toBe(0);
    const flags = [...stdout.matchAll(/^ {2}(?:-h, )?(--[a-z-]+)/gm)].map(([, flag]) => flag);
    expect(flags.join(" ")).toBe(
      "--config --serial --region --role-arn --tag --base-credentials --profile --registered --install-agent --agent-source --replace --same-host --dry-run --yes --json --help",
    );
  });
});

describe.concurrent("register, on a host that is not ready,", () => {
  test("says everything that stands in the way at once, and changes nothing", async (context) => {
    const scene = await openRegisterScene(context);
    const { host } = scene;
    rmSync(host.path("/run/systemd/system"), { recursive: true });
    const before = host.snapshot();
    const { code, stdout, stderr } = await host.asUser("deploy").command(WITH_BASE, { env: operatorEnv() });
    expect(code).toBe(1);
    expect(untimed(stdout)).toBe(`Registering this host: ${SERIAL} in ${REGION}

  ok    Check the arguments
        ${SESSION_ARN}; tags Name=web,
        Env=prod
  FAIL  Check the host
        - this command must be run as root (sudo)
        - systemd is not this host's init, and the service needs it
`);
    expect(stderr).toBe(
      "\nNothing was changed.\nIt is safe to run idc-helper register again: it goes on where it stopped.\n",
    );
    expect(differences(before, host.snapshot())).toEqual([]);
  });

  test("without an agent says how to get one", async (context) => {
    const scene = await openRegisterScene(context, { agent: "absent" });
    const { code, stdout } = await run(scene);
    expect([code, under(stdout, "Check the host")]).toEqual([
      1,
      "the CodeDeploy agent is not installed (there is no unit codedeploy-agent.service) --install-agent installs the agent from AWS's bucket.",
    ]);
    expect([changesAtAws(scene), scene.host.services.changes()]).toEqual([[], []]);
  });

  test("says what is masked or missing, and how to undo it", async (context) => {
    const scene = await openRegisterScene(context);
    const { services } = scene.host;
    services.mask(AGENT);
    services.override(HELPER, { LoadState: "not-found" });
    const { code, stdout } = await run(scene);
    expect([code, under(stdout, "Check the host")]).toEqual([
      1,
      "- codedeploy-agent.service is masked; systemctl unmask codedeploy-agent.service undoes it - there is no unit idc-codedeploy-helper.service Install the package: yum install idc-codedeploy-helper",
    ]);
    services.override(HELPER, { LoadState: "masked" });
    expect(under((await run(scene)).stdout, "Check the host")).toContain(
      "- idc-codedeploy-helper.service is masked Run: systemctl unmask idc-codedeploy-helper.service",
    );
    expect([changesAtAws(scene), services.changes()]).toEqual([[], []]);
  });

  test("without the service's group says what installs it", async (context) => {
    const scene = await openRegisterScene(context);
    scene.host.write("/etc/group", scene.host.read("/etc/group").replace(/^idc-helper:.*\n/m, ""));
    const { code, stdout } = await run(scene);
    expect([code, under(stdout, "Write config and base credentials")]).toEqual([
      1,
      "this host has no group idc-helper, so the service could not read its base credentials Install the package (yum install idc-codedeploy-helper), or run: systemd-sysusers",
    ]);
  });

  test("where systemd refuses, repeats its words", async (context) => {
    const scene = await openRegisterScene(context);
    scene.host.services.refuse("enable", HELPER, { stderr: "Failed to enable unit: Read-only file system" });
    const { code, stdout, stderr } = await run(scene);
    expect([code, under(stdout, "Start the service, get credentials")]).toEqual([
      1,
      "systemctl enable idc-codedeploy-helper.service failed: Failed to enable unit: Read-only file system See: systemctl status idc-codedeploy-helper.service; journalctl -u idc-codedeploy-helper.service",
    ]);
    expect(stderr).toContain(
      "Done and kept: write config and base credentials.\nNot done: register with codedeploy;",
    );
    scene.host.services.allow("enable", HELPER);
    await registered(scene);
  });
});

describe.concurrent("register, given a config that cannot be read,", () => {
  test("says so before it writes anything beside it", async (context) => {
    const scene = await openRegisterScene(context);
    scene.host.write(`${CONFIG_FILE}/nested`, "");
    const before = scene.host.snapshot();
    const { code, stderr } = await run(scene);
    expect([code, stderr]).toEqual([78, expect.stringContaining(`${CONFIG_FILE} cannot be read:`)]);
    expect(differences(before, scene.host.snapshot())).toEqual([]);
  });
});

describe.concurrent("register, without a network,", () => {
  test("says which host it cannot reach", async (context) => {
    const scene = await openRegisterScene(context);
    await scene.emulator.down();
    const { code, stdout } = await run(scene);
    expect(code).toBe(1);
    expect(under(stdout, "Check the host")).toMatch(
      /^127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\) Check DNS, the firewall for outbound 443, and the proxy settings\.$/,
    );
  });

  test("goes through the proxy, and names it where it is the wrong one", async (context) => {
    const scene = await openRegisterScene(context);
    const proxy = await startProxy();
    context.onTestFinished(() => proxy.close());
    scene.host.write(CONFIG_FILE, `network: { proxy: "${proxy.url}" }\n`);
    // Through a proxy, an endpoint without TLS is asked for in absolute form; the service, too, goes through it.
    const { stdout } = await registered(scene);
    expect(under(stdout, "Check the host")).toContain(
      `STS and CodeDeploy answer through the proxy ${proxy.url}`,
    );
    expect(proxy.asked.length).toBeGreaterThan(5);
    scene.host.write(CONFIG_FILE, scene.host.read(CONFIG_FILE).replace(proxy.url, "http://127.0.0.1:9"));
    const { code, stdout: second } = await run(scene);
    expect(code).toBe(1);
    expect(under(second, "Check the host")).toMatch(
      /^127\.0\.0\.1:\d+ through the proxy http:\/\/127\.0\.0\.1:9 cannot be reached \(ECONNREFUSED\) Check DNS/,
    );
  });

  test("behind the proxy of the environment keeps it for the service, which does not get that environment", async (context) => {
    const scene = await openRegisterScene(context);
    const proxy = await startProxy();
    context.onTestFinished(() => proxy.close());
    const { code, stdout } = await run(scene, WITH_BASE, { env: { HTTPS_PROXY: proxy.url } });
    expect(code, stdout).toBe(0);
    expect(scene.host.read(CONFIG_FILE)).toContain(`network:\n  proxy: ${proxy.url}\n`);
    const asked = proxy.asked.length;
    expect((await scene.host.command(["refresh"])).code).toBe(0);
    expect(proxy.asked.length).toBeGreaterThan(asked);
  });

  test("with a proxy in the environment that is none says so without repeating it", async (context) => {
    const scene = await openRegisterScene(context);
    const { code, stderr, stdout } = await run(scene, WITH_BASE, {
      env: { HTTPS_PROXY: "socks5://me:secret@proxy.example:1080" },
    });
    expect([code, stderr]).toEqual([
      78,
      "HTTPS_PROXY in the environment is not a proxy that can be used: neither http:// nor https://, or not a valid URL\n  Set it to something like http://proxy.example:3128 (a password in it percent-encoded), or unset it.\n",
    ]);
    expect(stdout).not.toContain("secret");
  });

  test("in the wrong region is stopped where the service is not there, before anything is changed", async (context) => {
    const scene = await openRegisterScene(context);
    scene.emulator.settings.change({ regions: [REGION] });
    const args = WITH_BASE.map((word) => (word === REGION ? "ap-northeast-9" : word));
    const { code, stdout } = await run(scene, args);
    expect([code, stepsOf(stdout).at(-1)]).toEqual([1, "FAIL Identify the operator"]);
    expect(changesAtAws(scene)).toEqual([]);
  });

  test("in another region than the host is registered in says that the old registration would stay behind", async (context) => {
    const scene = await openRegisterScene(context);
    await registered(scene);
    const args = WITH_BASE.map((word) => (word === REGION ? "us-east-1" : word));
    expect(await run(scene, args)).toEqual({
      code: 1,
      stdout: "",
      stderr: `this host is registered in ${REGION} (/etc/idc-codedeploy-helper/registration.json), not in us-east-1\n  Deregister it there first, or its registration there stays behind: idc-helper deregister. Or leave it where it is: idc-helper register --serial ${SERIAL} --region ${REGION}\n`,
    });
  });

  test("with another serial than the host has says what to do for a new name, and for a clone", async (context) => {
    const scene = await openRegisterScene(context);
    await registered(scene);
    const args = WITH_BASE.map((word) => (word === SERIAL ? "other-1" : word));
    expect(await run(scene, args)).toEqual({
      code: 1,
      stdout: "",
      stderr: `this host is set up as ${SERIAL} (${CONFIG_FILE}), not other-1\n  To give it another name, deregister it first: idc-helper deregister. If it is a clone, whose twin keeps the name ${SERIAL}: idc-helper register --replace --serial other-1 --region ${REGION} --role-arn ${ROLE_ARN}\n`,
    });
  });
});

describe.concurrent("register, over a config that is there,", () => {
  test("keeps its comments and its other keys", async (context) => {
    const scene = await openRegisterScene(context);
    scene.host.write(
      CONFIG_FILE,
      "# kept by ansible\nserial: old  # asset tag\nsession_duration: 45m # short\n\nlog:\n  level: debug\nrole_arn: >-\n  arn:aws:iam::123456789012:role/Old\n# the end\n",
    );
    await registered(scene, [...WITH_BASE, "--replace"]);
    expect(scene.host.read(CONFIG_FILE)).toBe(
      `# kept by ansible\nserial: ${SERIAL}  # asset tag\nsession_duration: 45m # short\n\nlog:\n  level: debug\nrole_arn: ${ROLE_ARN}\n# the end\nregion: ${REGION}\n`,
    );
  });

  test("that is broken, or laid out as one line, says so with the place, and leaves it", async (context) => {
    const scene = await openRegisterScene(context);
    const broken = "serial: a\n  region: [\n";
    scene.host.write(CONFIG_FILE, broken);
    const first = await run(scene);
    expect([first.code, first.stdout]).toEqual([78, ""]);
    expect(first.stderr).toMatch(
      /^\/etc\/idc-codedeploy-helper\/config\.yaml:\d+: .*\n {2}Mend \/etc\/idc-codedeploy-helper\/config\.yaml and run: idc-helper check-config\n$/,
    );
    const flow = `{ serial: ${SERIAL}, region: ${REGION} }\n`;
    scene.host.write(CONFIG_FILE, flow);
    expect(await run(scene)).toEqual({
      code: 78,
      stdout: "",
      stderr: `${CONFIG_FILE} is laid out in a way in which its keys cannot be set without risk to the rest\n  Write these into it by hand, each on a line of its own:\nserial: ${SERIAL}\nregion: ${REGION}\nrole_arn: ${ROLE_ARN}\n`,
    });
    expect(scene.host.read(CONFIG_FILE)).toBe(flow);
    expect(scene.host.services.changes()).toEqual([]);
  });

  test("with a value that is not allowed names the line and the key", async (context) => {
    const scene = await openRegisterScene(context);
    scene.host.write(CONFIG_FILE, "# mine\nsession_duration: 30h\n");
    const { code, stderr } = await run(scene);
    expect(code).toBe(78);
    expect(stderr).toContain(`${CONFIG_FILE}:2: session_duration: `);
  });
});

describe.concurrent("register, piped to a program that reads no further,", () => {
  test("completes all the same", async (context) => {
    const scene = await openRegisterScene(context);
    const command = `'${(await import("../harness/launch.ts")).COMMAND}' ${WITH_BASE.join(" ")} | head -n 1`;
    const { stdout } = await scene.host.runProgram("sh", ["-c", command], { env: operatorEnv() });
    expect(stdout).toBe(`Registering this host: ${SERIAL} in ${REGION}\n`);
    expect(JSON.parse(scene.host.read("/etc/idc-codedeploy-helper/registration.json")).state).toBe(
      "complete",
    );
  });
});
