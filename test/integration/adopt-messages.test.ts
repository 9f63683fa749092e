/** `idc-helper adopt` as a new user meets it: each obstacle is named, with the next step. */
import { rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ROLE_ARN } from "../aws-emulator/emulator.ts";
import { fixedSecret } from "../aws-emulator/identity/canary.ts";
import { CONFIG_FILE, ON_PREMISES_CONFIG_FILE, operatorEnv } from "../harness/host-root.ts";
import { type HostScene, openHostScene } from "../harness/host-scene.ts";
import { startProxy } from "../harness/proxy.ts";
import { plain } from "../harness/terminal.ts";
import { openCronHost, PLACES, SCRIPT, snapshot } from "./adopt-scene.ts";

/** As one paragraph, whatever the width. */
const flowing = (text: string) => plain(text).replace(/\s+/g, " ");

async function refused(scene: HostScene, args: readonly string[], env?: Record<string, string>) {
  const before = snapshot(scene);
  const { code, stdout, stderr } = await scene.host.command(args, env ? { env } : {});
  expect(snapshot(scene)).toEqual(before);
  return { code, said: flowing(stdout + stderr) };
}

describe.concurrent("adopt says what is in the way, and changes nothing", () => {
  test("a host without on-premises config", async (context) => {
    const scene = await openHostScene(context);
    const { code, said } = await refused(scene, ["adopt", "--yes"]);
    expect([code, said]).toEqual([
      1,
      `there is nothing to adopt: ${ON_PREMISES_CONFIG_FILE} does not exist adopt takes over a host that polls CodeDeploy already. A new host is set up with: idc-helper register `,
    ]);
  });

  test("a config that names neither kind of identity", async (context) => {
    const scene = await openHostScene(context);
    scene.host.write(ON_PREMISES_CONFIG_FILE, "region: ap-northeast-2\n");
    const { code, said } = await refused(scene, ["adopt", "--yes"]);
    expect(code).toBe(1);
    expect(said).toContain("it has neither iam_session_arn nor iam_user_arn");
  });

  test("neither --yes nor a terminal", async (context) => {
    const scene = await openCronHost(context);
    const { code, said } = await refused(scene, ["adopt"]);
    expect(code).toBe(2);
    expect(said).toContain("comment out /var/spool/cron/root:3");
    expect(said).toContain(
      "adopt asks before it changes anything, and there is no terminal to ask on. Nothing was changed",
    );
    expect(said).toContain("idc-helper adopt --yes");
  });

  test("a user who is not root", async (context) => {
    const scene = await openCronHost(context);
    const { code, stderr } = await scene.host.asUser("deploy").command(["adopt", "--yes"]);
    expect([code, stderr]).toEqual([
      1,
      "this command must be run as root: it reads crontabs and the agent's config, and starts the service\n  Use sudo.\n",
    ]);
  });

  test("a role with a path that no script tells", async (context) => {
    const scene = await openCronHost(context, { rolePath: "/idc/", isRoleInScript: false });
    const { code, said } = await refused(scene, ["adopt", "--yes"]);
    expect(code).toBe(1);
    expect(said).toContain(`AWS denies AssumeRole on ${ROLE_ARN}`);
    expect(said).toContain("Perhaps the role CodeDeployIDC-Instance-Profile has a path");
    expect(said).toContain(
      "idc-helper adopt --role-arn arn:aws:iam::123456789012:role/PATH/CodeDeployIDC-Instance-Profile",
    );
    const right = "arn:aws:iam::123456789012:role/idc/CodeDeployIDC-Instance-Profile";
    expect((await scene.host.command(["adopt", "--yes", "--role-arn", right])).code).toBe(0);
  });

  test("another role than the host's", async (context) => {
    const scene = await openCronHost(context);
    const other = "arn:aws:iam::123456789012:role/Other";
    const { code, said } = await refused(scene, ["adopt", "--yes", "--role-arn", other]);
    expect(code).toBe(1);
    expect(said).toContain(`--role-arn ${other} is not this host's role`);
  });

  test("a name that AWS knows by another ARN", async (context) => {
    const scene = await openCronHost(context);
    const { emulator } = scene;
    emulator.instances.put({
      name: "serial-ABCDEFG",
      region: "ap-northeast-2",
      iamSessionArn: "arn:aws:sts::123456789012:assumed-role/Other/serial-ABCDEFG",
    });
    const { code, said } = await refused(scene, ["adopt", "--yes"], operatorEnv());
    expect(code).toBe(1);
    expect(said).toContain("it is not the same identity");
  });

  test("no base credentials where the cron job's user keeps them", async (context) => {
    const scene = await openCronHost(context, { place: PLACES["/etc/cron.d"] });
    rmSync(scene.host.path("/home/deploy/.aws/credentials"));
    const { code, said } = await refused(scene, ["adopt", "--yes"]);
    expect(code).toBe(1);
    expect(said).toContain(
      "the key that the old cron job calls AssumeRole with was not found (/home/deploy/.aws/credentials: not there)",
    );
    expect(said).toContain("idc-helper adopt --base-credentials FILE");
  });

  test("a base key that AWS no longer knows", async (context) => {
    const scene = await openCronHost(context);
    scene.emulator.keys.setState("AKIAIDCBASE000000001", "invalid");
    const { code, said } = await refused(scene, ["adopt", "--yes"]);
    expect(code).toBe(1);
    expect(said).toContain(
      'AWS does not accept the base credentials (profile "default" of /root/.aws/credentials',
    );
  });

  test("Ctrl-C at the question leaves everything as it was", async (context) => {
    const scene = await openCronHost(context);
    const before = snapshot(scene);
    const terminal = scene.host.terminal(["adopt"], { columns: 60 });
    await terminal.expect("Adopt this host as planned?");
    terminal.press("ctrl-c");
    const { code, output } = await terminal.result;
    expect(code).toBe(1);
    expect(flowing(output)).toContain("Nothing was changed");
    expect(snapshot(scene)).toEqual(before);
    expect(scene.host.services.changes()).toEqual([]);
  });

  test("a role with a path is asked for on a terminal", async (context) => {
    const { host } = await openCronHost(context, { rolePath: "/idc/", isRoleInScript: false });
    const terminal = host.terminal(["adopt"]);
    await terminal.expect("The role's whole ARN, with its path:");
    terminal.answer("arn:aws:iam::123456789012:role/idc/CodeDeployIDC-Instance-Profile");
    await terminal.expect("Adopt this host as planned?");
    terminal.answer("y");
    expect((await terminal.result).code).toBe(0);
  });
});

describe.concurrent("adopt goes on", () => {
  test("without a crontab entry, and says so", async (context) => {
    const { host, place } = await openCronHost(context);
    host.write(place.crontab, "5 4 * * * /usr/bin/true\n", { mode: 0o600 });
    const { code, stdout } = await host.command(["adopt", "--yes"]);
    expect(code).toBe(0);
    expect(stdout).toContain("no crontab entry was found that does");
    expect(flowing(stdout)).toContain("look for it and switch it off by hand");
  });

  test("and points out a unit that refreshes the credentials, too, which it leaves to a person", async (context) => {
    const { host, place } = await openCronHost(context);
    host.write(place.crontab, "5 4 * * * /usr/bin/true\n", { mode: 0o600 });
    const unit = `[Service]\nType=oneshot\nExecStart=-/bin/sh -c '${SCRIPT} --now'\n`;
    host.write("/etc/systemd/system/old-refresh.service", unit);
    const { code, stdout } = await host.command(["adopt", "--yes"]);
    expect(code).toBe(0);
    expect(flowing(stdout)).toContain("/etc/systemd/system/old-refresh.service may refresh them as well");
    expect(host.read("/etc/systemd/system/old-refresh.service")).toBe(unit);
  });

  test.for([
    ["/etc/anacrontab", `SHELL=/bin/sh\n1\t5\tcodedeploy\tnice ${SCRIPT}\n`, "/etc/anacrontab:2"],
    ["/etc/cron.hourly/codedeploy", `#!/bin/sh\nexec ${SCRIPT}\n`, "/etc/cron.hourly/codedeploy"],
  ] as const)(
    "and points out what %s starts, which it leaves to a person",
    async ([path, text, place], context) => {
      const {
        host,
        place: { crontab },
      } = await openCronHost(context);
      host.write(crontab, "5 4 * * * /usr/bin/true\n", { mode: 0o600 });
      host.write(path, text, { mode: 0o755 });
      const { code, stdout } = await host.command(["adopt", "--yes"]);
      expect(code).toBe(0);
      expect(flowing(stdout)).toContain(`${place} may refresh them as well (it mentions assume-role`);
      expect(host.read(path)).toBe(text);
    },
  );

  test("through the proxy of the old crontab, without which the service would reach nothing", async (context) => {
    const { host, place } = await openCronHost(context);
    const proxy = await startProxy();
    context.onTestFinished(() => proxy.close());
    host.write(place.crontab, `HTTPS_PROXY=${proxy.url}\n${place.line}\n`, { mode: 0o600 });
    const { code, stdout } = await host.command(["adopt", "--yes"]);
    expect(code, stdout).toBe(0);
    expect(flowing(stdout)).toContain(`the old cron job's proxy ${proxy.url} becomes network.proxy`);
    expect(host.read(CONFIG_FILE)).toContain(`network:\n  proxy: ${proxy.url}\n`);
    // The agent has a setting of its own, which is not ours to change.
    expect(flowing(stdout)).toContain("but the agent would not: set :proxy_uri:");
    const asked = proxy.asked.length;
    expect(asked).toBeGreaterThan(2);
    expect((await host.command(["refresh"])).code).toBe(0);
    expect(proxy.asked.length).toBeGreaterThan(asked);
  });

  test("without a proxy that has a password, and says where that goes", async (context) => {
    const { host, place } = await openCronHost(context);
    host.write(place.crontab, `HTTPS_PROXY=http://me:hunter2@127.0.0.1:9\n${place.line}\n`, { mode: 0o600 });
    const { code, stdout } = await host.command(["adopt", "--yes"]);
    expect(code, stdout).toBe(0);
    expect(flowing(stdout)).toContain(
      "The old cron job goes through a proxy, which is not carried over: it has a password",
    );
    expect(stdout).not.toContain("hunter2");
  });

  test("on a host that register has set up there is nothing to do", async (context) => {
    const { host } = await openHostScene(context);
    host.write("/root/base.ini", host.read("/etc/hostname"));
    host.write(
      ON_PREMISES_CONFIG_FILE,
      "iam_session_arn: arn:aws:sts::123456789012:assumed-role/R/S1\naws_credentials_file: /var/lib/idc-codedeploy-helper/credentials\nregion: ap-northeast-2\n",
    );
    const { code, stdout } = await host.command(["adopt"]);
    expect([code, stdout]).toEqual([
      0,
      "Nothing to adopt: the agent gets its credentials from idc-codedeploy-helper already.\n",
    ]);
  });

  test("with a secret in the crontab's command, which is never shown", async (context) => {
    const { host, place } = await openCronHost(context);
    const secret = fixedSecret("base");
    const line = `0 * * * * AWS_SECRET_ACCESS_KEY=${secret} ${SCRIPT} --token hunter2`;
    host.write(place.crontab, `${line}\n`, { mode: 0o600 });
    const { stdout } = await host.command(["adopt", "--yes"]);
    expect(stdout).toContain("AWS_SECRET_ACCESS_KEY=***");
    expect(stdout).not.toContain(secret);
    expect(stdout).not.toContain("hunter2");
    expect(host.read(place.crontab)).toContain(`#${line}`);
  });
});
