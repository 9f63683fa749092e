/** `idc-helper doctor` as a whole: on a healthy host, for a user without rights, on a narrow terminal, and in silence. */
import { rmSync } from "node:fs";
import { describe, it } from "vitest";
import { BASE_KEY, OPERATOR_KEY } from "../aws-emulator/emulator.ts";
import {
  BASE_CREDENTIALS_FILE,
  CREDENTIALS_FILE,
  differences,
  HELPER,
  operatorEnv,
} from "../harness/host-root.ts";
import { openHostScene } from "../harness/host-scene.ts";
import { isRoot } from "../harness/identity.ts";
import { plain } from "../harness/terminal.ts";
import { openHealthyHost } from "./doctor-host.ts";

describe.concurrent("doctor", () => {
  it("on a healthy host: every check passes, and nothing is changed, here or in AWS", async (test) => {
    const { host, emulator, examine } = await openHealthyHost(test);
    // What runs on writes for itself: it stays as it is while we look.
    const before = host.snapshot();
    const changes = host.services.changes().length;
    emulator.requests.clear();
    const answer = await examine();
    test.expect(answer.troubles).toEqual({});
    test.expect(answer.verdict).toBe("OK");
    test.expect(answer.summary).toMatch(/^serial-ABCDEFG: \d+ checks passed$/);
    test.expect(answer.code).toBe(0);
    const isRunning = /^(\/var\/log|\/opt\/test-harness|\/run\/idc-codedeploy-helper\/\.?status)/;
    const changed = differences(before, host.snapshot()).filter(
      (line) => !isRunning.test(line.replace(/^\S+ /, "")),
    );
    test.expect(changed).toEqual([]);
    test.expect(host.services.changes()).toHaveLength(changes);
    const asked = emulator.requests
      .list()
      .filter(({ userAgent, service }) => service !== "codedeploy-commands" && !/Ruby/.test(userAgent ?? ""))
      .map(({ action }) => action)
      .filter((action) => action !== "");
    test
      .expect(asked.sort())
      .toEqual([
        "AssumeRole",
        "GetCallerIdentity",
        "GetOnPremisesInstance",
        "GetOnPremisesInstance",
        "ListOnPremisesInstances",
      ]);
  });

  it("without an operator's credentials: what AWS has is not seen, and that is no fault", async (test) => {
    const { doctor, emulator } = await openHealthyHost(test);
    const answer = await doctor([], { env: { AWS_ENDPOINT_URL_S3: emulator.url } });
    test.expect(answer.troubles).toEqual({
      "base.rights": "unknown",
      "registration.aws": "unknown",
      "registration.tags": "unknown",
    });
    test.expect(answer.check("registration.aws").seen).toMatch(/operator's credentials/);
    test.expect(answer.code).toBe(0);
  });

  it("an operator's profile is used where it is named, and one without rights is told from a missing host", async (test) => {
    const { host, doctor } = await openHealthyHost(test);
    host.writeSharedCredentials(OPERATOR_KEY);
    const seen = await doctor(["--profile", "default"]);
    test.expect(seen.check("registration.aws")).toMatchObject({ state: "pass" });
    const denied = await doctor([], { env: operatorEnv(BASE_KEY) });
    test.expect(denied.check("registration.aws")).toMatchObject({ state: "unknown" });
    test.expect(denied.check("registration.aws").seen).toMatch(/AWS denies GetOnPremisesInstance/);
    const absent = await doctor(["--profile", "nobody"]);
    test.expect(absent.check("registration.aws")).toMatchObject({ state: "unknown" });
  });

  it("for a user without rights: nothing fails, and what could not be seen is said", async (test) => {
    const { host, doctor, emulator } = await openHealthyHost(test);
    const env = { AWS_ENDPOINT_URL_S3: emulator.url };
    const answer = await doctor([], { as: "deploy", env });
    // In a user namespace he owns the files, whoever he is: there only root's eyes are missing.
    if (!isRoot) {
      test.expect(answer.check("config.trusted")).toMatchObject({ state: "fail" });
      return;
    }
    test.expect(Object.values(answer.troubles)).not.toContain("fail");
    test.expect(answer.check("base.present")).toMatchObject({ state: "unknown" });
    test.expect(answer.check("base.present").mend).toEqual(["idc-helper doctor"]);
    test.expect(answer.check("credentials.fresh")).toMatchObject({ state: "pass" });
    test.expect(answer.verdict).toBe("UNKNOWN");
    test.expect(answer.code).toBe(3);
    const { stdout, stderr } = await host.command(["doctor"], { as: "deploy", env });
    test.expect(stderr).toBe("");
    test.expect(stdout).toMatch(/^UNKNOWN - serial-ABCDEFG: \d could not be seen, \d+ passed\n/);
    test.expect(stdout).toMatch(/As root:\n {10}sudo idc-helper doctor\n$/);
  });

  it("on a bare host, where nothing is set up: each check says so in its way, and all end", async (test) => {
    const { host } = await openHostScene(test, { agent: "absent" });
    const { code, stdout, stderr } = await host.command(["doctor"]);
    test.expect(stderr).toBe("");
    test.expect(code).toBe(2);
    test.expect(stdout).toMatch(/^CRITICAL - this host: \d failed, /);
    test.expect(stdout).toMatch(/there is no such file/);
    test.expect(stdout).toMatch(/^ {10}idc-helper register --serial auto /m);
    test
      .expect(stdout)
      .toMatch(/^Network\n {4}\? {3}None of its checks +not checked: the configuration is wrong\n\n/m);
    test.expect(stdout).not.toMatch(/itself failed|undefined|Error/);
  });

  it("on a broken host and a terminal of 60 columns: coloured, nothing cut, commands to be copied", async (test) => {
    const { host } = await openHealthyHost(test);
    await host.services.stop(HELPER);
    rmSync(host.path(CREDENTIALS_FILE));
    const terminal = host.terminal(["doctor"], { columns: 60, env: operatorEnv() });
    const { code, output } = await terminal.result;
    test.expect(code).toBe(2);
    test.expect(output).toContain("\x1b[31mFAIL\x1b[");
    const lines = plain(output).split(/\r?\n/);
    test.expect(lines[0]).toMatch(/^CRITICAL - serial-ABCDEFG: \d+ failed/);
    for (const command of ["idc-helper refresh", "systemctl start idc-codedeploy-helper.service"])
      test.expect(lines).toContain(`          ${command}`);
    // What may be longer: the summary, commands, and words that cannot be broken.
    const long = lines.slice(1).filter((line) => line.length > 60 && !line.startsWith("          "));
    test.expect(long.filter((line) => line.trim().includes(" "))).toEqual([]);
  });

  it("shows no secret, whatever it is asked", async (test) => {
    const { host, emulator } = await openHealthyHost(test);
    const env = { ...operatorEnv(), AWS_ENDPOINT_URL_S3: emulator.url };
    const secrets = [BASE_KEY.secretAccessKey, operatorEnv().AWS_SECRET_ACCESS_KEY ?? ""];
    for (const path of [BASE_CREDENTIALS_FILE, CREDENTIALS_FILE])
      for (const [, value = ""] of host.read(path).matchAll(/^aws_(?:secret|session)\S* = (.*)$/gm))
        secrets.push(value);
    test.expect(secrets.length).toBeGreaterThan(4);
    for (const args of [["doctor"], ["doctor", "--deep", "--json"]]) {
      const { stdout, stderr } = await host.command(args, { env });
      for (const secret of secrets) test.expect(stdout + stderr).not.toContain(secret);
    }
  });
});
