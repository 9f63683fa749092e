/** `idc-helper refresh`, typed by an operator: what it answers, in which form, with which exit code. */
import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { openScene } from "../harness/scene.ts";
import { SESSION_ARN } from "../harness/scratch-host.ts";

describe.concurrent("refresh", () => {
  it("writes the file that the agent reads and says until when it lasts", async (test) => {
    const { emulator, host } = await openScene(test);
    const { code, stdout, stderr } = await host.command("refresh");
    test.expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    test
      .expect(stdout)
      .toMatch(
        /^Refreshed: the credentials of arn:\S+ last until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(1 h\)\.\n$/,
      );
    const [session] = emulator.sessions.list();
    test
      .expect(readFileSync(host.credentialsFile, "utf8"))
      .toBe(
        `[default]\naws_access_key_id = ${session?.accessKeyId}\naws_secret_access_key = ${session?.secretAccessKey}\naws_session_token = ${session?.sessionToken}\n`,
      );
  });

  it("--json answers with one line for a program", async (test) => {
    const { emulator, host } = await openScene(test);
    const { code, stdout, stderr } = await host.command("refresh", "--json");
    test.expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    test.expect(stdout).toMatch(/^\{.*\}\n$/);
    const expiresAt = emulator.sessions.list()[0]?.expiresAt.toISOString();
    test
      .expect(JSON.parse(stdout))
      .toMatchObject({ result: "issued", expiresAt, sessionArn: SESSION_ARN, warnings: [] });
  });

  it("a failure is told to a person in two lines, without a stack trace, and ends with 1", async (test) => {
    const { emulator, host } = await openScene(test);
    emulator.faults.set({ kind: "deny" });
    const { code, stdout, stderr } = await host.command("refresh");
    test.expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    test
      .expect(stderr)
      .toMatch(/^AWS denies AssumeRole on arn:aws:iam::\S+ .*\n {2}Let the base identity call .*\n$/);
  });

  it("a wrong config is told whole, each error with file, line and key, and ends with 78", async (test) => {
    const { emulator, host } = await openScene(test, {
      serial: "i-0123456789",
      config: "session_duration: 13h\nschedule: '* * *'\n",
    });
    const human = await host.command("refresh");
    test.expect({ code: human.code, stdout: human.stdout }).toEqual({ code: 78, stdout: "" });
    for (const key of ["serial", "session_duration", "schedule"]) {
      test.expect(human.stderr).toMatch(new RegExp(`${host.configFile}:\\d+.*${key}.*found`));
    }
    const json = await host.command("refresh", "--json");
    test.expect(json.code).toBe(78);
    test.expect(JSON.parse(json.stdout)).toMatchObject({ result: "failed", kind: "config" });
    test.expect(emulator.requests.list()).toEqual([]);
  });

  it("wrong usage ends with 2 and points to the help", async (test) => {
    const { host } = await openScene(test);
    const { code, stdout, stderr } = await host.command("refresh", "--jsn");
    test.expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    test.expect(stderr).toContain("--jsn");
    test.expect(stderr).toContain("idc-helper --help");
  });

  it("an unknown key in the config is a warning to refresh and to run, and an error to check-config", async (test) => {
    const { host } = await openScene(test, { config: "colour: blue\n" });
    const refresh = await host.command("refresh");
    test.expect(refresh.code).toBe(0);
    test.expect(refresh.stderr).toMatch(/^Warning: \S+config\.yaml:\d+.*colour.*unknown key/);
    const check = await host.command("check-config");
    test.expect(check.code).toBe(78);
    test.expect(check.stderr).toContain("colour");
    const run = host.startRun();
    test.expect(await run.waitForLog("config_unknown_key")).toMatch(/ WARN .*colour/);
    await host.waitForStatus(({ state }) => state === "fresh", "the service at work");
  });

  it("missing base credentials are named with their file and how to write it", async (test) => {
    const { host } = await openScene(test);
    host.writeConfig(readFileSync(host.configFile, "utf8").replace(host.baseFile, `${host.baseFile}-2`));
    const { code, stdout } = await host.command("refresh", "--json");
    test.expect(code).toBe(1);
    const answer = JSON.parse(stdout);
    test.expect(answer).toMatchObject({ result: "failed", kind: "base_credentials_missing" });
    test.expect(answer.message).toContain(`${host.baseFile}-2`);
    test.expect(answer.nextStep).toContain("base_credentials.file");
  });
});
