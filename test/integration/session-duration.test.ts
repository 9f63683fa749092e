/** A session_duration that the role does not allow: one hour instead, a warning, and not a wasted call each time. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { ROLE_NAME } from "../aws-emulator/emulator.ts";
import { openScene, type Scene, type SceneOptions, type TestContext } from "../harness/scene.ts";

const open = (test: TestContext, options: SceneOptions = {}) =>
  openScene(test, { config: "session_duration: 2h\n", ...options });

const durationsAsked = ({ emulator }: Scene) =>
  emulator.requests.list().map(({ params }) => Number(params.DurationSeconds));

describe.concurrent("session_duration: 2h with a role that allows one hour", () => {
  it("falls back to one hour and says what to change", async (test) => {
    const scene = await open(test);
    const { code, stdout } = await scene.host.command("refresh");
    test.expect(code).toBe(0);
    test
      .expect(stdout)
      .toMatch(/\(1 h\)\.\nWarning: the role does not allow sessions of 2 h: 1 h was asked for/);
    test.expect(stdout).toContain("aws iam update-role --max-session-duration 7200");
    test.expect(durationsAsked(scene)).toEqual([7200, 3600]);
  });

  it("is asked for again only after a day", async (test) => {
    const scene = await open(test);
    const { host } = scene;
    for (let n = 0; n < 3; n += 1) await host.command("refresh");
    test.expect(durationsAsked(scene)).toEqual([7200, 3600, 3600, 3600]);

    const file = join(host.stateDir, "refresh.json");
    const record = JSON.parse(readFileSync(file, "utf8"));
    record.refusedDuration.atMs -= 86_400_000;
    writeFileSync(file, JSON.stringify(record));
    await host.command("refresh");
    await host.command("refresh");
    test.expect(durationsAsked(scene)).toEqual([7200, 3600, 3600, 3600, 7200, 3600, 3600]);
  });

  it("is warned of once in the service's log, and as long as it lasts in status", async (test) => {
    const { host } = await open(test);
    const run = host.startRun();
    for (let n = 2; n <= 4; n += 1) {
      await host.waitForStatus(
        ({ last_attempt }) => last_attempt?.number === n - 1 && last_attempt.result === "issued",
        `refresh ${n - 1}`,
      );
      process.kill(run.pid, "SIGUSR2");
    }
    const status = await host.waitForStatus(
      ({ last_attempt }) => last_attempt?.number === 4 && last_attempt.result === "issued",
      "refresh 4",
    );
    test.expect(status.warnings).toMatchObject([{ code: "duration_not_allowed" }]);
    test.expect(run.lines("duration_not_allowed")).toHaveLength(1);
    test.expect(run.lines("duration_not_allowed")[0]).toContain(" WARN ");
  });

  it("is used, without a word, once the role allows it", async (test) => {
    const scene = await open(test);
    const { emulator, host } = scene;
    const role = emulator.roles.list().find(({ name }) => name === ROLE_NAME);
    if (role === undefined) throw new Error("the emulator has no role");
    const { name, trustPolicy, policies } = role;
    emulator.roles.put({ name, trustPolicy, policies, maxSessionDurationSeconds: 7200 });
    const { stdout } = await host.command("refresh");
    test.expect(stdout).toContain("(2 h).");
    test.expect(stdout).not.toContain("Warning");
    test.expect(durationsAsked(scene)).toEqual([7200]);
  });
});
