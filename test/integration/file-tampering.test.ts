/** Somebody else deletes or writes the credentials file, or an operator refreshes beside the service. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { isRoot, unprivileged } from "../harness/identity.ts";
import { openScene, type Scene, type SceneOptions, type TestContext } from "../harness/scene.ts";
import { quietSchedule } from "../harness/schedule.ts";

const FACTOR = 30;

async function openFresh(test: TestContext, options: SceneOptions = {}) {
  const scene = await openScene(test, { timeFactor: FACTOR, config: quietSchedule(FACTOR), ...options });
  const run = scene.host.startRun();
  await scene.host.waitForStatus(({ state }) => state === "fresh", "good credentials");
  return { ...scene, run };
}

const assumed = ({ emulator }: Pick<Scene, "emulator">) =>
  emulator.requests.list().filter(({ action }) => action === "AssumeRole").length;

describe.concurrent("the credentials file of a running service", () => {
  it("deleted: written anew at once, told once", async (test) => {
    const { emulator, host, run } = await openFresh(test);
    rmSync(host.credentialsFile);
    await eventually(
      () => existsSync(host.credentialsFile),
      () => `the file did not come back:\n${run.log()}`,
    );
    const status = await host.waitForStatus(
      ({ last_attempt }) => last_attempt?.number === 2 && last_attempt.result === "issued",
      "it",
    );
    test.expect(status).toMatchObject({ state: "fresh", last_attempt: { reason: "missing" } });
    test.expect(run.lines("credentials_file_missing")).toHaveLength(1);
    test.expect(assumed({ emulator })).toBe(2);
  });

  it("overwritten by somebody else: written anew at once, told once, with where to look for the culprit", async (test) => {
    const { emulator, host, run } = await openFresh(test);
    writeFileSync(host.credentialsFile, "[default]\naws_access_key_id = CRON\n");
    const status = await host.waitForStatus(
      ({ last_attempt }) => last_attempt?.number === 2 && last_attempt.result === "issued",
      "it",
    );
    test.expect(status).toMatchObject({ state: "fresh", last_attempt: { reason: "foreign" } });
    test.expect(readFileSync(host.credentialsFile, "utf8")).not.toContain("CRON");
    test.expect(run.lines("credentials_file_foreign")).toHaveLength(1);
    test.expect(run.lines("credentials_file_foreign")[0]).toMatch(/ WARN .*cron/);
    test.expect(assumed({ emulator })).toBe(2);
  });

  it("deleted while AWS is down: told as missing and as failing, each once, and written as soon as it is up", async (test) => {
    const { emulator, host, run } = await openFresh(test);
    await emulator.down();
    rmSync(host.credentialsFile);
    const status = await host.waitForStatus(
      ({ failures_in_a_row }) => failures_in_a_row >= 3,
      "three failures",
    );
    test.expect(status.state).toBe("expired");
    await emulator.up();
    await host.waitForStatus(({ state }) => state === "fresh", "recovery");
    test.expect(run.lines("credentials_file_missing")).toHaveLength(1);
    test.expect(run.lines("refresh_failed")).toHaveLength(1);
  });

  it(`an operator's refresh beside it ${isRoot ? "(as root) has the service do it" : ""}: one AssumeRole, nothing foreign`, async (test) => {
    const { emulator, host, run } = await openFresh(test);
    const { code, stdout } = await host.command("refresh", "--json");
    test.expect(code).toBe(0);
    test.expect(JSON.parse(stdout)).toMatchObject({ result: "issued", expiresAt: host.record()?.expiresAt });
    test.expect(assumed({ emulator })).toBe(2);
    const expected = isRoot ? { number: 2, reason: "asked" } : { number: 1 };
    test.expect(host.status()?.last_attempt).toMatchObject(expected);
    test.expect(run.log()).not.toContain("foreign");
  });

  it("an operator's refresh as the service's own user, again and again: never taken for somebody else's", async (test) => {
    const { emulator, host, run } = await openFresh(test, { owner: unprivileged });
    for (let n = 0; n < 8; n += 1) test.expect((await host.command("refresh")).code).toBe(0);
    const expiresAt = host.record()?.expiresAt;
    const status = await host.waitForStatus(
      ({ credentials }) => credentials?.expires_at === expiresAt,
      "the last one",
    );
    test
      .expect(status)
      .toMatchObject({ state: "fresh", credentials: { in_place: true }, last_attempt: { number: 1 } });
    test.expect(run.log()).not.toContain("foreign");
    test.expect(assumed({ emulator })).toBe(9);
  });

  it("an operator's refresh tells the service's failure", async (test) => {
    const { emulator, host } = await openFresh(test);
    emulator.faults.set({ kind: "deny" });
    const { code, stdout } = await host.command("refresh", "--json");
    test.expect(code).toBe(1);
    test.expect(JSON.parse(stdout)).toMatchObject({ result: "failed", kind: "denied" });
  });
});
