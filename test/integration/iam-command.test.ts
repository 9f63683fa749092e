/** `idc-helper iam`, typed by whoever sets up the account: what it prints where, and what can be done with it. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "vitest";
import { launch } from "../harness/launch.ts";
import { openScene, type TestContext } from "../harness/scene.ts";

const ACCOUNT = ["--account", "123456789012", "--region", "ap-northeast-2", "--bucket", "my-revisions"];
const ANCHOR =
  "arn:aws:rolesanywhere:ap-northeast-2:123456789012:trust-anchor/11111111-2222-3333-4444-555555555555";
const CERTIFICATE = [
  ...["--certificate", "--trust-anchor-arn", ANCHOR],
  ...["--profile-arn", ANCHOR.replace("trust-anchor", "profile")],
];

/** Far from any host: there is no config. */
const iam = (...args: string[]) => launch({ args: ["iam", ...args], env: process.env }).result;

/** A shell in which `aws` and `install` only note what they were called with. */
function shell(test: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), "idc-iam-"));
  test.onTestFinished(async () => rmSync(directory, { recursive: true }));
  const record = join(directory, "calls");
  for (const name of ["aws", "install"]) {
    const path = join(directory, name);
    const note = `require("node:fs").appendFileSync(${JSON.stringify(record)}, JSON.stringify(["${name}", ...process.argv.slice(2)]) + "\\n")`;
    writeFileSync(path, `#!${process.execPath}\n${note}\n`);
    chmodSync(path, 0o755);
  }
  return (script: string): string[][] => {
    const env = { ...process.env, PATH: `${directory}:${process.env.PATH}` };
    const { status, stderr } = spawnSync("/bin/sh", ["-eu"], { input: script, env, encoding: "utf8" });
    if (status !== 0) throw new Error(`the shell ended with ${status}: ${stderr}`);
    const lines = readFileSync(record, "utf8").trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line));
  };
}

describe.concurrent("iam", () => {
  it("asks for all that is missing at once, with an example of each, and ends with 2", async (test) => {
    const { code, stdout, stderr } = await iam("--format", "yaml");
    test.expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    test.expect(stderr).toBe(
      `4 errors:
--format "yaml" is not known: one of json, cloudformation
--region is missing: the region of CodeDeploy, such as ap-northeast-2
--role-arn is missing: the role that hosts assume, such as arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile (or --account 123456789012 for a role of that name)
--bucket is missing: the S3 bucket that holds your revisions, the only one hosts may read
  idc-helper iam --help shows every flag with an example.
`,
    );
    const json = await iam("--json");
    test.expect({ code: json.code, stderr: json.stderr }).toEqual({ code: 2, stderr: "" });
    test.expect(JSON.parse(json.stdout)).toMatchObject({ result: "failed", kind: "usage" });
  });

  it("takes role, region and serial from a host's config, and says that this is for one host", async (test) => {
    const { host } = await openScene(test);
    const { code, stdout, stderr } = await host.command("iam", "--bucket", "my-revisions", "--only", "trust");
    test.expect(code).toBe(0);
    test.expect(JSON.parse(stdout)).toMatchObject({
      Statement: [{ Condition: { StringLike: { "sts:RoleSessionName": "serial-ABCDEFG" } } }],
    });
    test
      .expect(stderr)
      .toBe(
        "Note: only the serial serial-ABCDEFG is allowed; for a fleet give --serial-pattern, such as 'web-*'.\n",
      );
  });

  it("a config that is named and not there is an error of the config, not a silent default", async (test) => {
    const { code, stderr } = await iam(...ACCOUNT, "--config", join(tmpdir(), "no-such", "config.yaml"));
    test.expect(code).toBe(78);
    test.expect(stderr).toContain("there is no such file");
  });

  it("prints commands that a shell runs as they are, each document whole", async (test) => {
    const { code, stdout } = await iam(...ACCOUNT, "--serial-pattern", "web-*");
    test.expect(code).toBe(0);
    const calls = shell(test)(stdout);
    test
      .expect(calls.map((words) => words.slice(0, 3).join(" ")))
      .toEqual([
        "aws iam put-user-policy",
        "aws iam create-role",
        "aws iam put-role-policy",
        "aws iam create-policy",
      ]);
    const all = JSON.parse((await iam(...ACCOUNT, "--serial-pattern", "web-*", "--json")).stdout);
    const documents = calls.map((words) => JSON.parse(words.at(-1) ?? ""));
    test.expect(documents).toEqual([all.base, all.trust, all.role, all.operator]);
    test.expect(stdout.match(/^# /gm)).toHaveLength(4);
  });

  it("with certificates the shell gets the base role and the profile too, with IAM's variable intact", async (test) => {
    const { stdout } = await iam(...ACCOUNT, ...CERTIFICATE);
    const calls = shell(test)(stdout);
    test
      .expect(calls.map((words) => words.slice(0, 3).join(" ")))
      .toEqual([
        "aws iam create-role",
        "aws iam put-role-policy",
        "aws iam create-role",
        "aws iam put-role-policy",
        "aws iam create-policy",
        "install -o root",
      ]);
    const variable = "$" + "{aws:PrincipalTag/x509Subject/CN}";
    test.expect(calls[2]?.at(-1)).toContain(`"sts:RoleSessionName": "${variable}"`);
    const profile = await iam(...ACCOUNT, ...CERTIFICATE, "--only", "profile");
    test.expect(stdout).toContain(profile.stdout);
    test.expect(profile.stdout).toMatch(/^\[default\]\ncredential_process = \S+ credential-process --certi/);
  });

  it.each(["role", "trust", "base", "operator", "base-trust"])(
    "--only %s prints that document and nothing beside it",
    async (only) => {
      const { code, stdout } = await iam(...ACCOUNT, ...CERTIFICATE, "--only", only);
      const { Version, Statement } = JSON.parse(stdout);
      if (code !== 0 || Version !== "2012-10-17" || Statement.length === 0) throw new Error(stdout);
    },
  );

  it("--format cloudformation prints one template, and nothing beside it", async (test) => {
    const { code, stdout } = await iam(...ACCOUNT, "--format", "cloudformation");
    test.expect(code).toBe(0);
    const template = JSON.parse(stdout);
    test.expect(Object.keys(template.Resources)).toEqual(["HostRole", "BaseIdentity", "OperatorPolicy"]);
    test.expect(Object.keys(template.Outputs)).toContain("HostRoleArn");
    const both = await iam(...ACCOUNT, "--format", "cloudformation", "--only", "role");
    test.expect([both.code, both.stderr]).toEqual([2, test.expect.stringContaining("all in one")]);
  });

  it("--help shows an example of every step", async (test) => {
    const { code, stdout } = await iam("--help");
    test.expect(code).toBe(0);
    for (const flag of ["--bucket", "--serial-pattern", "--certificate", "aws cloudformation deploy"])
      test.expect(stdout).toContain(flag);
  });
});
