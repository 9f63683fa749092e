/** The service under its own user, and root beside it: nothing of root's is left where the service must write. */
import { readFileSync, statSync } from "node:fs";
import { describe, it } from "vitest";
import { isRoot, ownersIn, unprivileged } from "../harness/identity.ts";
import { openScene } from "../harness/scene.ts";
import { quietSchedule } from "../harness/schedule.ts";

const FACTOR = 60;
const options = { owner: unprivileged, timeFactor: FACTOR, config: quietSchedule(FACTOR) };
/** Where we are not root, "root's command" is one of the only user there is. */
const root = isRoot ? { as: { userId: 0, groupId: 0 } } : {};

describe.concurrent("a service that is not root", () => {
  it("does its work, and everything it writes is its own", async (test) => {
    const { host, emulator } = await openScene(test, options);
    const run = host.startRun();
    await host.waitForStatus(({ state }) => state === "fresh", "good credentials");
    process.kill(run.pid, "SIGUSR2");
    await host.waitForStatus(
      ({ last_attempt }) => last_attempt?.number === 2 && last_attempt.result === "issued",
      "it",
    );
    test.expect(emulator.sessions.list()).toHaveLength(2);
    test.expect([...ownersIn(host.directory)]).toEqual([unprivileged.userId]);
    test.expect(statSync(host.credentialsFile).mode & 0o777).toBe(0o600);
    test.expect(await run.stop()).toBe(0);
  });

  it("root's refresh without a running service becomes the owner of the state directory", async (test) => {
    const { host } = await openScene(test, options);
    const { code, stderr } = await host.start(["refresh"], root).result;
    test.expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    test.expect([...ownersIn(host.directory)]).toEqual([unprivileged.userId]);
    const run = host.startRun();
    await host.waitForStatus(({ state }) => state === "fresh", "the service to take it over");
    process.kill(run.pid, "SIGUSR2");
    await host.waitForStatus(({ last_attempt }) => last_attempt?.result === "issued", "its own refresh");
  });

  it("root's refresh beside a running service has that do it", async (test) => {
    const { host, emulator } = await openScene(test, options);
    const run = host.startRun();
    await host.waitForStatus(({ state }) => state === "fresh", "good credentials");
    const before = readFileSync(host.credentialsFile, "utf8");
    const { code, stdout } = await host.start(["refresh", "--json"], root).result;
    test.expect(code).toBe(0);
    test.expect(JSON.parse(stdout)).toMatchObject({ result: "issued" });
    test.expect(readFileSync(host.credentialsFile, "utf8")).not.toBe(before);
    test.expect(emulator.sessions.list()).toHaveLength(2);
    test.expect([...ownersIn(host.directory)]).toEqual([unprivileged.userId]);
    test.expect(run.log()).not.toContain("foreign");
  });

  it("root's run becomes the owner of the state directory, too", async (test) => {
    const { host } = await openScene(test, options);
    const run = host.startRun({}, root);
    await host.waitForStatus(({ state }) => state === "fresh", "good credentials");
    const userIds = /^Uid:\s+(.*)$/m.exec(readFileSync(`/proc/${run.pid}/status`, "utf8"))?.[1];
    test.expect(new Set(userIds?.split("\t"))).toEqual(new Set([String(unprivileged.userId)]));
    test.expect([...ownersIn(host.directory)]).toEqual([unprivileged.userId]);
  });
});
