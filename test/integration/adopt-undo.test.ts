/** `idc-helper adopt --undo`: the host as it was, and never a poll without valid credentials. */
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { AGENT, HELPER, ON_PREMISES_CONFIG_FILE } from "../harness/host-root.ts";
import type { HostScene } from "../harness/host-scene.ts";
import { configOfWorker, OLD_FILE, openCronHost, PLACES, snapshot, troubles } from "./adopt-scene.ts";

/** The old file's content is the cron job's affair. */
function filesOf(scene: HostScene): Map<string, string> {
  const files = snapshot(scene);
  files.set(OLD_FILE, files.get(OLD_FILE)?.split("\n")[0] ?? "");
  return files;
}

describe.concurrent("adopt --undo", () => {
  test("puts every file back, and the agent reads the old one, which holds good credentials", async (context) => {
    const scene = await openCronHost(context, { place: PLACES["/etc/cron.d"] });
    const { host, oldFile } = scene;
    const before = filesOf(scene);
    await host.command(["adopt", "--yes"]);
    // As if hours had passed since the cron job last ran: what it wrote has expired.
    host.write(oldFile, host.read(oldFile).replace(/token = .*/, "token = stale"), { mode: 0o600 });
    utimesSync(host.path(oldFile), new Date(0), new Date(0));
    const { code, stdout, stderr } = await host.command(["adopt", "--undo", "--yes"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`The adoption is undone: the agent reads ${oldFile}, as before.`);
    expect(filesOf(scene)).toEqual(before);
    expect(await configOfWorker(scene)).toBe(oldFile);
    expect([host.services.isActive(HELPER), host.services.isEnabled(HELPER)]).toEqual([false, false]);
    expect(troubles(scene)).toEqual([]);
  });

  test("takes away what an agent that is not root needed: its group, and our drop-in", async (context) => {
    const scene = await openCronHost(context);
    const { host } = scene;
    const before = filesOf(scene);
    host.services.override(AGENT, { User: "codedeploy" });
    await host.command(["adopt", "--yes"]);
    expect(host.read("/etc/idc-codedeploy-helper/config.yaml")).toContain("group: ");
    expect(
      filesOf(scene)
        .keys()
        .some((path) => path.endsWith(".conf") && !before.has(path)),
    ).toBe(true);
    host.services.calls.length = 0;
    const { code, stderr } = await host.command(["adopt", "--undo", "--yes"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(filesOf(scene)).toEqual(before);
    expect(host.services.changes()).toContain("daemon-reload");
  });

  test("while a lifecycle event keeps the agent from going back, our service goes on renewing", async (context) => {
    const scene = await openCronHost(context);
    const { host } = scene;
    await host.command(["adopt", "--yes"]);
    const event = "/opt/codedeploy-agent/deployment-root/ongoing-deployment/d-EXAMPLE";
    host.write(event, "");
    const failed = await host.command(["adopt", "--undo", "--yes"]);
    expect([failed.code, failed.stdout.replace(/\s+/g, " ")]).toEqual([
      1,
      expect.stringContaining("the credentials that it has, which are still renewed"),
    ]);
    expect([host.services.isActive(HELPER), host.services.isEnabled(HELPER)]).toEqual([true, true]);
    rmSync(host.path(event));
    expect((await host.command(["adopt", "--undo", "--yes"])).code).toBe(0);
    expect(await configOfWorker(scene)).toBe(OLD_FILE);
    expect([host.services.isActive(HELPER), host.services.isEnabled(HELPER)]).toEqual([false, false]);
    expect(troubles(scene)).toEqual([]);
  });

  test("a link in the old file's place leads root nowhere else", async (context) => {
    const scene = await openCronHost(context);
    const { host, oldFile } = scene;
    await host.command(["adopt", "--yes"]);
    const directory = host.path("/opt/codedeploy-cron");
    renameSync(directory, host.path("/opt/elsewhere"));
    symlinkSync("elsewhere", directory);
    const before = host.read("/opt/elsewhere/session-credentials");
    const { code, stdout } = await host.command(["adopt", "--undo", "--yes"]);
    expect([code, stdout]).toEqual([
      1,
      expect.stringContaining(`${oldFile} was not refreshed and is as it was`),
    ]);
    expect(host.read("/opt/elsewhere/session-credentials")).toBe(before);
    expect(host.read(ON_PREMISES_CONFIG_FILE)).toContain("/var/lib/idc-codedeploy-helper/credentials");
  });

  test("a crontab entry that somebody has removed meanwhile is told of", async (context) => {
    const scene = await openCronHost(context, { place: PLACES["/etc/cron.d"] });
    const { host, place } = scene;
    await host.command(["adopt", "--yes"]);
    host.write(place.crontab, "# nothing\n");
    const { code, stdout } = await host.command(["adopt", "--undo", "--yes"]);
    expect([code, stdout.replace(/\s+/g, " ")]).toEqual([
      0,
      expect.stringContaining(
        `The entry that stood at ${place.crontab}:3 is no longer there as adopt left it: see to it by hand`,
      ),
    ]);
  });

  test("a host that was not adopted has nothing to undo, which is success", async (context) => {
    const { host } = await openCronHost(context);
    const { code, stdout } = await host.command(["adopt", "--undo"]);
    expect([code, stdout]).toEqual([
      0,
      "Nothing to undo: this host is not adopted, or its adoption was undone.\n",
    ]);
  });

  test("killed before its copies were gone, the next one takes them away", async (context) => {
    const { host } = await openCronHost(context);
    const copies = "/etc/idc-codedeploy-helper/adoption";
    mkdirSync(host.path(copies), { recursive: true, mode: 0o700 });
    host.write(`${copies}/4-root`, "*/30 * * * * /opt/refresh\n", { mode: 0o600 });
    const { code, stdout } = await host.command(["adopt", "--undo", "--yes"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("Nothing to undo")]);
    expect(existsSync(host.path(copies))).toBe(false);
  });

  test("--dry-run shows what would be put back, and changes nothing", async (context) => {
    const scene = await openCronHost(context);
    const { host } = scene;
    await host.command(["adopt", "--yes"]);
    const before = snapshot(scene);
    const { code, stdout } = await host.command(["adopt", "--undo", "--dry-run"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`put ${ON_PREMISES_CONFIG_FILE} back as it was`);
    expect(snapshot(scene)).toEqual(before);
  });

  test("without fresh credentials for the old file, the agent stays with ours until cron has written it", async (context) => {
    const scene = await openCronHost(context);
    const { host, emulator, runCronJob, oldFile } = scene;
    await host.command(["adopt", "--yes"]);
    emulator.faults.set({ match: { service: "sts" }, kind: "throttle" });
    const failed = await host.command(["adopt", "--undo", "--yes"]);
    expect(failed.code).toBe(1);
    expect(failed.stdout.replace(/\s+/g, " ")).toContain(
      `once it has rewritten ${oldFile}, run idc-helper adopt --undo again`,
    );
    expect(host.read(ON_PREMISES_CONFIG_FILE)).toContain("/var/lib/idc-codedeploy-helper/credentials");
    const adopting = await host.command(["adopt", "--yes"]);
    expect(adopting.stderr).toContain("Finish it first: idc-helper adopt --undo");
    emulator.faults.clear();
    await runCronJob();
    emulator.faults.set({ match: { service: "sts" }, kind: "throttle" });
    expect((await host.command(["adopt", "--undo", "--yes"])).code).toBe(0);
    expect(await configOfWorker(scene)).toBe(oldFile);
    expect(troubles(scene)).toEqual([]);
  });
});
