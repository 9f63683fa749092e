/** Files that the AWS SDK would read without a bound are refused by name, whoever's credentials are in use. */
import { execFileSync } from "node:child_process";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { loadBaseCredentials } from "../../../src/aws/base-credentials.ts";
import { openNetwork } from "../../../src/aws/network.ts";
import { loadOperatorCredentials } from "../../../src/aws/operator.ts";
import { refuseEndlessFiles } from "../../../src/aws/shared-files.ts";
import { assumeRole } from "../../../src/aws/sts.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { sampleConfig } from "./sample-config.ts";

const scratch = useScratchDirectory();
const IDENTITY = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" };

afterEach(() => vi.unstubAllEnvs());

function naming(variable: string, path: string): void {
  vi.stubEnv("HOME", scratch("home"));
  vi.stubEnv(variable, path);
}

const VARIABLES = ["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"];

describe.each(VARIABLES)("%s=/dev/zero takes no memory", (variable) => {
  const refused = (kind: string) => ({
    kind,
    message: `/dev/zero (${variable}), which the AWS SDK would read, is not a regular file`,
  });

  test("of a refresh, although the base credentials are a plain key", async () => {
    naming(variable, "/dev/zero");
    const config = sampleConfig();
    const network = await openNetwork(config, 1, {});
    const base = { identity: IDENTITY, source: "a test" };
    const durationMs = 3_600_000;
    const asked = assumeRole({ config, base, network, durationMs, endpoint: "http://127.0.0.1:1" });
    await expect(asked).rejects.toMatchObject(refused("base_credentials_invalid"));
  });

  test("of the SDK's chain, nor of its providers", async () => {
    naming(variable, "/dev/zero");
    const file = scratch("base");
    const place = { file, profile: "default", isDefault: true };
    const load = () => loadBaseCredentials(sampleConfig({ baseCredentials: place }));
    await expect(load()).rejects.toMatchObject(refused("base_credentials_invalid"));
    writeFileSync(file, "[default]\ncredential_process = /bin/false\n", { mode: 0o600 });
    await expect(load()).rejects.toMatchObject(refused("base_credentials_invalid"));
  });

  test("of an operator's command", async () => {
    naming(variable, "/dev/zero");
    const { requestHandler } = await openNetwork(sampleConfig(), 1, {});
    const load = loadOperatorCredentials({ profile: null, region: "ap-northeast-2", requestHandler });
    await expect(load).rejects.toMatchObject(refused("operator_credentials_invalid"));
  });
});

describe("what else is, and is not, refused", () => {
  const refuse = (env: Record<string, string>) => () =>
    refuseEndlessFiles("base", { HOME: scratch("home"), ...env });

  test("a file of gigabytes in the home", () => {
    mkdirSync(scratch("home/.aws"), { recursive: true });
    writeFileSync(scratch("home/.aws/config"), "");
    expect(refuse({})).not.toThrow();
    truncateSync(scratch("home/.aws/config"), 4 * 1_024 ** 3);
    expect(refuse({})).toThrow("home/.aws/config (AWS_CONFIG_FILE names no other)");
    expect(refuse({ AWS_CONFIG_FILE: "~/.aws/config" })).toThrow("home/.aws/config (AWS_CONFIG_FILE),");
  });

  test("a FIFO, which nobody may ever write to", () => {
    execFileSync("mkfifo", [scratch("fifo")]);
    for (const variable of [...VARIABLES, "AWS_WEB_IDENTITY_TOKEN_FILE"])
      expect(refuse({ [variable]: scratch("fifo") })).toThrow(variable);
  });

  test("/dev/null, by which people keep the SDK from a file, is left to it, and so is a directory", () => {
    for (const path of ["/dev/null", "/", scratch("none"), "/dev/null/x", "a".repeat(100_000)])
      expect(refuse({ AWS_CONFIG_FILE: path, AWS_SHARED_CREDENTIALS_FILE: path })).not.toThrow();
  });
});
