/** The key that may assume the role: where it comes from, and what is said when it does not come. */
import { chownSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { loadBaseCredentials } from "../../../src/aws/base-credentials.ts";
import { openNetwork } from "../../../src/aws/network.ts";
import { Failure } from "../../../src/failure.ts";
import { isRoot, NOBODY } from "../../harness/identity.ts";
import { asAnotherUser } from "../host/another-user.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { sampleConfig } from "./sample-config.ts";
import { useServers } from "./servers.ts";

const scratch = useScratchDirectory();
afterEach(() => vi.unstubAllEnvs());
const KEY = "aws_access_key_id = AKIAX\naws_secret_access_key = geheim/+=x\n";
const configOf = (profile = "default", isDefault = false) =>
  sampleConfig({ baseCredentials: { file: scratch("base"), isDefault, profile } });

function load(text: string, profile?: string) {
  writeFileSync(scratch("base"), text);
  return loadBaseCredentials(configOf(profile));
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.catch((thrown: unknown) => thrown);
  if (error instanceof Failure) return error;
  throw new Error(`expected a Failure, not ${String(error)}`);
}

describe("a key is read", () => {
  const plain = { accessKeyId: "AKIAX", secretAccessKey: "geheim/+=x" };
  test.each([
    ["alone", `[default]\n${KEY}`, undefined, plain],
    ["without spaces", `[default]\n${KEY.replaceAll(" = ", "=")}`, undefined, plain],
    ["with carriage returns", `[default]\r\n${KEY.replaceAll("\n", "\r\n")}`, undefined, plain],
    [
      "behind a byte order mark, as an editor on Windows leaves it",
      `\uFEFF[default]\n${KEY}`,
      undefined,
      plain,
    ],
    [
      "with a token",
      `[default]\n${KEY}aws_session_token = t/+==\n`,
      undefined,
      { ...plain, sessionToken: "t/+==" },
    ],
    ["with an empty token", `[default]\n${KEY}aws_session_token =\n`, undefined, plain],
    ["beside other profiles", `[a]\nx=y\n[default]\n${KEY}[b]\naws_access_key_id=z\n`, undefined, plain],
    ["under another name", `[default]\nx=y\n[deploy]\n${KEY}`, "deploy", plain],
    ["under a name with dots", `[team.deploy]\n${KEY}`, "team.deploy", plain],
    ["with comments", `# mine\n[default]\n; the key\n${KEY}`, undefined, plain],
  ])("%s", async (_, text, profile, identity) => {
    const base = await load(text, profile);
    expect(base.identity).toEqual(identity);
    expect(base.source).toBe(`profile "${profile ?? "default"}" of ${scratch("base")}`);
  });

  test("from a link, as configuration management and systemd credentials make them", async () => {
    writeFileSync(scratch("real"), `[default]\n${KEY}`);
    symlinkSync("real", scratch("base"));
    expect((await loadBaseCredentials(configOf())).identity.accessKeyId).toBe("AKIAX");
  });

  test("from a credential_process that somebody else could have named: not by root, who would run it", async () => {
    const ran = scratch("ran");
    const file = scratch("theirs", "base");
    mkdirSync(scratch("theirs"));
    writeFileSync(file, `[default]\ncredential_process = /bin/sh -c "touch ${ran}"\n`);
    const config = sampleConfig({ baseCredentials: { file, isDefault: false, profile: "default" } });
    if (isRoot) chownSync(file, NOBODY.userId, NOBODY.groupId);
    const failure = await failureOf(loadBaseCredentials(config));
    expect(failure.kind).toBe("base_credentials_invalid");
    // It gives no key either way; what counts is whether it was run.
    expect(existsSync(ran)).toBe(!isRoot);
  });

  test("from a credential_process, which is really run", async () => {
    const script = scratch("process.sh");
    const answer = {
      Version: 1,
      AccessKeyId: "ASIAP",
      SecretAccessKey: "s",
      SessionToken: "t",
      Expiration: "2099-01-01T00:00:00Z",
    };
    writeFileSync(script, `#!/bin/sh\necho '${JSON.stringify(answer)}'\n`, { mode: 0o755 });
    const { identity } = await load(`[default]\ncredential_process = ${script} --token geheim\n`);
    expect(identity).toMatchObject({ accessKeyId: "ASIAP", secretAccessKey: "s", sessionToken: "t" });
    expect((await load(`[deploy]\ncredential_process = ${script}\n`, "deploy")).identity.accessKeyId).toBe(
      "ASIAP",
    );
  });
});

describe("what is missing or wrong is told with the file, and without any secret", () => {
  test.each([
    ["half a key, the id", "[default]\naws_access_key_id = AKIAX\n", "has only half a key"],
    ["half a key, the secret", "[default]\naws_secret_access_key = geheim\n", "has only half a key"],
    [
      "half a key, the other empty",
      "[default]\naws_access_key_id =\naws_secret_access_key = geheim\n",
      "half a key",
    ],
    ["no such profile", `[other]\n${KEY}`, 'has no profile "default"'],
    ["an empty file", "", 'has no profile "default"'],
    ["no INI at all", "geheim", 'has no profile "default"'],
    ["a value where a profile should be", "default = geheim\n", 'has no profile "default"'],
    ["a profile named like something of JavaScript's", `[__proto__]\n${KEY}`, 'has no profile "default"'],
  ])("%s", async (_, text, message) => {
    const failure = await failureOf(load(text));
    expect(failure.kind).toBe("base_credentials_missing");
    expect(failure.message).toContain(message);
    expect(failure.message).toContain(scratch("base"));
    expect(failure.message + failure.nextStep).not.toContain("geheim");
  });

  test.each([
    ["fails", "exit 3"],
    ["prints no JSON", "echo geheim"],
    ["prints half a key", `echo '{"Version":1,"AccessKeyId":"geheim"}'`],
    [
      "prints a key that has expired",
      `echo '{"Version":1,"AccessKeyId":"a","SecretAccessKey":"geheim","Expiration":"2020-01-01T00:00:00Z"}'`,
    ],
  ])("a credential_process that %s", async (_, body) => {
    writeFileSync(scratch("process.sh"), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    const failure = await failureOf(
      load(`[default]\ncredential_process = ${scratch("process.sh")} --token geheim\n`),
    );
    expect(failure.kind).toBe("base_credentials_invalid");
    expect(failure.nextStep).toContain("credential_process");
    expect(failure.message + failure.nextStep).not.toContain("geheim");
  });

  test("a file that is missing where one was named: the SDK's chain does not take its place", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIASTRAY");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "s");
    expect(await failureOf(loadBaseCredentials(configOf()))).toMatchObject({
      kind: "base_credentials_missing",
      message: `no base credentials: ${scratch("base")} (base_credentials.file) does not exist`,
    });
  });

  test("a directory in its place", async () => {
    mkdirSync(scratch("base"));
    expect((await failureOf(loadBaseCredentials(configOf()))).message).toContain("is not a regular file");
  });

  test("a file that this user may not read, with the commands that help", () => {
    writeFileSync(scratch("base"), `[default]\n${KEY}`, { mode: 0o000 });
    const said = asAnotherUser(
      scratch(),
      `import { loadBaseCredentials } from "SRC/aws/base-credentials.ts";`,
      `loadBaseCredentials(${JSON.stringify(configOf())}).catch((e) => e.report())`,
    );
    expect(said).toMatchObject({
      kind: "base_credentials_missing",
      message: expect.stringContaining("may not be read by this user"),
      nextStep: `Run: chown root:idc-helper ${scratch("base")}; chmod 0640 ${scratch("base")}`,
    });
  });
});

describe("where no file was set up, the SDK's own chain is asked", () => {
  const servers = useServers();
  const stub = (env: Record<string, string>) => {
    const quiet = { HOME: scratch(), AWS_EC2_METADATA_DISABLED: "true" };
    for (const [name, value] of Object.entries({ ...quiet, ...env })) vi.stubEnv(name, value);
  };

  test("which finds a key in the environment", async () => {
    stub({ AWS_ACCESS_KEY_ID: "AKIAENV", AWS_SECRET_ACCESS_KEY: "s" });
    const base = await loadBaseCredentials(configOf("default", true));
    expect(base.identity).toMatchObject({ accessKeyId: "AKIAENV", secretAccessKey: "s" });
    expect(base.source).toBe("the AWS SDK's default chain");
  });

  test("and nothing there is told with the file to write and the role that it is for", async () => {
    stub({});
    expect(await failureOf(loadBaseCredentials(configOf("default", true)))).toMatchObject({
      kind: "base_credentials_missing",
      message: expect.stringContaining(`${scratch("base")} does not exist`),
      nextStep: expect.stringContaining("arn:aws:iam::123456789012:role/Role"),
    });
  });

  test("through the configured proxy where it calls AWS itself", async () => {
    const proxy = await servers.proxy();
    writeFileSync(scratch("token"), "web-identity");
    stub({
      AWS_WEB_IDENTITY_TOKEN_FILE: scratch("token"),
      AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/Base",
      AWS_ENDPOINT_URL_STS: "http://sts.example",
    });
    const config = configOf("default", true);
    const network = { ...config.network, proxy: `http://127.0.0.1:${proxy.port}` };
    const { requestHandler } = await openNetwork({ ...config, network }, 1, {});
    await failureOf(loadBaseCredentials(config, requestHandler));
    expect(proxy.requests).toContain("POST http://sts.example/");
  });
});
