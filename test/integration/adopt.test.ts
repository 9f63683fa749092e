/** `idc-helper adopt` of a host whose cron job has written the agent's credentials so far. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BASE_KEY } from "../aws-emulator/emulator.ts";
import { AGENT, CREDENTIALS_FILE, HELPER, operatorEnv } from "../harness/host-root.ts";
import { SESSION_ARN } from "../harness/scratch-host.ts";
import {
  changesInAws,
  configOfWorker,
  newsOf,
  openCronHost,
  PLACES,
  SCRIPT,
  snapshot,
  troubles,
} from "./adopt-scene.ts";

for (const [name, place] of Object.entries(PLACES)) {
  test.concurrent(`the entry in ${name} is found, and out of force once the agent polls with ours`, async (context) => {
    const scene = await openCronHost(context, { place });
    const { host } = scene;
    const before = host.read(place.crontab);
    const { mode, uid, gid } = statSync(host.path(place.crontab));
    const master = host.services.agent.mainPid;
    const { code, stdout, stderr } = await host.command(["adopt", "--yes"]);
    expect([code, stderr]).toEqual([0, ""]);
    const line = before.split("\n").indexOf(place.line) + 1;
    expect(stdout).toContain(`${place.crontab}:${line}, user ${place.user}`);
    expect(await configOfWorker(scene)).toBe(CREDENTIALS_FILE);
    expect(host.services.agent.mainPid).toBe(master);
    expect(host.services.changes().filter((call) => call.startsWith("re"))).toEqual([`reload ${AGENT}`]);
    const after = host.read(place.crontab);
    const [note = "", ...rest] = newsOf(before, after);
    expect(note).toMatch(/^# \d{4}-\d\d-\d\d disabled by idc-helper adopt: /);
    expect(rest).toEqual([`#${place.line}`]);
    expect(after.replace(`${note}\n#`, "")).toBe(before);
    const found = statSync(host.path(place.crontab));
    expect([found.mode, found.uid, found.gid]).toEqual([mode, uid, gid]);
    expect(host.services.isEnabled(HELPER)).toBe(true);
    expect(troubles(scene)).toEqual([]);
    expect(changesInAws(scene)).toEqual([]);
  });
}

describe.concurrent("adopt", () => {
  test("copies the base key to where only root and the service read it, and shows it nowhere", async (context) => {
    const { host } = await openCronHost(context);
    const { stdout, stderr } = await host.command(["adopt", "--yes"]);
    const path = host.path("/etc/idc-codedeploy-helper/base-credentials");
    expect(readFileSync(path, "utf8")).toContain(BASE_KEY.secretAccessKey);
    expect(statSync(path).mode & 0o7777).toBe(0o640);
    expect(statSync(host.path("/etc/idc-codedeploy-helper/adoption")).mode & 0o7777).toBe(0o700);
    expect(stdout + stderr).not.toContain(BASE_KEY.secretAccessKey);
  });

  test("a second time is success, and changes nothing", async (context) => {
    const scene = await openCronHost(context);
    const { host } = scene;
    await host.command(["adopt", "--yes"]);
    const before = snapshot(scene);
    host.services.calls.length = 0;
    const { code, stdout } = await host.command(["adopt"]);
    expect(code).toBe(0);
    expect(stdout).toContain("This host is adopted already: nothing had to be changed.");
    expect(snapshot(scene)).toEqual(before);
    expect(host.services.changes()).toEqual([]);
  });

  test("--dry-run shows plan and diffs, and changes nothing anywhere", async (context) => {
    const scene = await openCronHost(context);
    const { host, emulator, place } = scene;
    const before = snapshot(scene);
    const seen = emulator.requests.list().length;
    const { code, stdout } = await host.command(["adopt", "--dry-run"], { env: operatorEnv() });
    expect(code).toBe(0);
    expect(stdout).toContain(`-${place.line}`);
    expect(stdout).toContain("+serial: serial-ABCDEFG");
    expect(stdout).toContain("Nothing was changed.");
    expect(snapshot(scene)).toEqual(before);
    expect(host.services.changes()).toEqual([]);
    const asked = new Set(
      emulator.requests
        .list()
        .slice(seen)
        .map(({ action }) => action),
    );
    asked.delete("PollHostCommand");
    // Whether AWS can be reached, and what time it is there.
    asked.delete("");
    expect([...asked].sort()).toEqual(["AssumeRole", "GetCallerIdentity", "GetOnPremisesInstance"]);
  });

  test("--keep-cron leaves the crontab as it is; without it, a later run disables the entry", async (context) => {
    const { host, place } = await openCronHost(context);
    const before = host.read(place.crontab);
    const { stdout } = await host.command(["adopt", "--yes", "--keep-cron"]);
    expect(stdout).toContain(`${place.crontab}:3 is left in force (--keep-cron)`);
    expect(host.read(place.crontab)).toBe(before);
    expect((await host.command(["adopt", "--keep-cron"])).code).toBe(0);
    await host.command(["adopt", "--yes"]);
    expect(host.read(place.crontab)).toContain(`\n#${place.line}\n`);
  });

  test("a base key under another profile is found by what the script names", async (context) => {
    const { host } = await openCronHost(context, { profile: "idc-base", place: PLACES["/etc/cron.d"] });
    const { code, stdout } = await host.command(["adopt", "--yes"]);
    expect(code).toBe(0);
    expect(stdout).toContain('profile "idc-base" of /home/deploy/.aws/credentials (user deploy)');
  });

  test("an old file at the SDK's default path, which the agent caches for ever, is left behind", async (context) => {
    const oldFile = "/root/.aws/credentials";
    const scene = await openCronHost(context, {
      oldFile,
      place: PLACES["a user's crontab (Debian)"],
    });
    const { code, stderr } = await scene.host.command(["adopt", "--yes"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(await configOfWorker(scene)).toBe(CREDENTIALS_FILE);
  });

  test("a role with a path is known from the script", async (context) => {
    const { host, emulator } = await openCronHost(context, { rolePath: "/idc/hosts/" });
    const { code } = await host.command(["adopt", "--yes"]);
    expect(code).toBe(0);
    expect(host.read("/etc/idc-codedeploy-helper/config.yaml")).toContain("role/idc/hosts/CodeDeployIDC");
    expect(emulator.requests.list().filter(({ errorCode }) => errorCode === "AccessDenied")).toEqual([]);
  });

  test("an operator's credentials show that AWS has the same identity", async (context) => {
    const { host } = await openCronHost(context);
    const { code, stdout } = await host.command(["adopt", "--yes"], { env: operatorEnv() });
    expect(code).toBe(0);
    expect(stdout.replace(/\s+/g, " ")).toContain(`AWS has serial-ABCDEFG as ${SESSION_ARN}`);
  });

  test("a backup and a check that mention the files are shown and left alone", async (context) => {
    const { host, place } = await openCronHost(context);
    const others = `0 3 * * * tar czf /var/backup.tgz /etc/codedeploy-agent/conf/codedeploy.onpremises.yml
*/5 * * * * find /opt/codedeploy-cron/session-credentials -mmin +60 | grep . && echo stale
`;
    host.write("/var/spool/cron/deploy", others, { mode: 0o600, owner: "deploy" });
    const { stdout } = await host.command(["adopt", "--yes"]);
    expect(stdout).toContain("Left alone: /var/spool/cron/deploy:1");
    expect(host.read("/var/spool/cron/deploy")).toBe(others);
    expect(host.read(place.crontab)).toContain(`#*/30 * * * * ${SCRIPT}`);
  });

  test("deregister takes its copies away with the rest", async (context) => {
    const { host } = await openCronHost(context);
    await host.command(["adopt", "--yes"]);
    const { code } = await host.command(["deregister", "--yes"], { env: operatorEnv() });
    expect(code).toBe(0);
    expect(readdirSync(host.path("/etc/idc-codedeploy-helper"))).toEqual([]);
  });

  test("--json answers with one document that has what was found and what was done", async (context) => {
    const { host } = await openCronHost(context);
    const { code, stdout } = await host.command(["adopt", "--yes", "--json"]);
    expect(code).toBe(0);
    const answer = JSON.parse(stdout);
    expect(answer.result).toBe("changed");
    expect(answer.found.map(({ step }: { step: string }) => step)).toContain("old-cron");
    expect(answer.steps.map(({ step }: { step: string }) => step)).toEqual([
      "backup",
      "files",
      "service",
      "agent-config",
      "agent-start",
      "agent-load",
      "poll",
      "cron",
      "finish",
    ]);
  });

  test("a deployment in hand is not disturbed: the agent, and then cron, are left until it has ended", async (context) => {
    const scene = await openCronHost(context, { timeFactor: 60 });
    const { host, emulator, place } = scene;
    const script = "while [ ! -e /opt/may-end ]; do sleep 0.1; done";
    const event = emulator.events.queue({ hostIdentifier: SESSION_ARN, script });
    await host.services.agent.waitForTrace("event_started");
    const { code, stdout } = await host.command(["adopt", "--yes"]);
    expect(code).toBe(1);
    expect(stdout.replace(/\s+/g, " ")).toContain(
      "the agent has not loaded its new config yet: a lifecycle event is in progress",
    );
    expect(host.read(place.crontab)).toContain(`\n${place.line}\n`);
    host.write("/opt/may-end", "");
    expect((await emulator.events.waitFor(event.id)).state).toBe("succeeded");
    expect((await host.command(["adopt", "--yes"])).code).toBe(0);
    expect(host.read(place.crontab)).toContain(`\n#${place.line}\n`);
    expect(troubles(scene)).toEqual([]);
  });
});
