/** What a config comes to: defaults, directories, and this host's share of the schedule. */
import { describe, expect, test } from "vitest";
import { offsetOf } from "../../../src/config/load.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { loadText, withLines } from "./config-file.ts";

const scratch = useScratchDirectory();
const HOUR_MS = 3_600_000;

test("three keys are a whole config; the rest has the documented defaults", async () => {
  const path = scratch("config.yaml");
  expect(await loadText(path, withLines())).toEqual({
    configFile: path,
    serial: "serial-ABCDEFG",
    region: "ap-northeast-2",
    roleArn: "arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile",
    sessionDurationMs: HOUR_MS,
    schedule: "*/30 * * * *",
    offsetMs: expect.any(Number),
    baseCredentials: {
      file: "/etc/idc-codedeploy-helper/base-credentials",
      isDefault: true,
      profile: "default",
    },
    credentialsFile: { path: "/var/lib/idc-codedeploy-helper/credentials", profile: "default", group: null },
    agent: {
      service: "codedeploy-agent.service",
      settingsFile: "/etc/codedeploy-agent/conf/codedeployagent.yml",
      onDrift: "repair",
      reload: "auto",
    },
    network: { proxy: null, caBundle: null, connectTimeoutMs: 5_000, requestTimeoutMs: 15_000 },
    endpoints: { sts: null, codedeploy: null },
    metrics: { textfile: null },
    paths: {
      stateDir: "/var/lib/idc-codedeploy-helper",
      runtimeDir: "/run/idc-codedeploy-helper",
      agentRuntimeDir: "/run/idc-codedeploy-helper-agent",
    },
    log: { level: "info", format: "auto" },
  });
});

test("sections whose keys are all commented out mean their defaults", async () => {
  const sections = [
    "base_credentials",
    "credentials_file",
    "agent",
    "network",
    "endpoints",
    "metrics",
    "paths",
    "log",
  ];
  const path = scratch("config.yaml");
  const plain = await loadText(path, withLines());
  expect(await loadText(path, withLines(...sections.map((name) => `${name}:\n  # nothing: here`)))).toEqual(
    plain,
  );
});

test("a service named without its suffix, and an endpoint on a loopback address, are understood", async () => {
  const config = await loadText(
    scratch("config.yaml"),
    withLines(
      "agent: { service: codedeploy-agent }",
      'endpoints: { sts: "http://127.0.0.1:4566", codedeploy: "http://[::1]:1" }',
    ),
  );
  expect(config.agent.service).toBe("codedeploy-agent.service");
  expect(config.endpoints).toEqual({ sts: "http://127.0.0.1:4566", codedeploy: "http://[::1]:1" });
});

describe("the directories", () => {
  const text = withLines(
    "paths: { state_dir: /own/state, runtime_dir: /own/run, agent_runtime_dir: /own/agent }",
  );

  test("are systemd's where it made them, whatever the config says", async () => {
    const env = { STATE_DIRECTORY: "/systemd/state:/other", RUNTIME_DIRECTORY: "/systemd/run" };
    const { paths, credentialsFile } = await loadText(scratch("config.yaml"), text, { env });
    expect(paths).toEqual({
      stateDir: "/systemd/state",
      runtimeDir: "/systemd/run",
      agentRuntimeDir: "/own/agent",
    });
    expect(credentialsFile.path).toBe("/systemd/state/credentials");
  });

  test("are the config's elsewhere, and an empty variable is none", async () => {
    const env = { STATE_DIRECTORY: "", RUNTIME_DIRECTORY: "" };
    const { paths, credentialsFile } = await loadText(scratch("config.yaml"), text, { env });
    expect(paths).toEqual({ stateDir: "/own/state", runtimeDir: "/own/run", agentRuntimeDir: "/own/agent" });
    expect(credentialsFile.path).toBe("/own/state/credentials");
  });
});

describe("this host's shift of the schedule", () => {
  const offset = async (...lines: string[]) =>
    (await loadText(scratch("config.yaml"), withLines(...lines))).offsetMs;

  test("is the same at every load, and stays below the schedule's shortest gap", async () => {
    const first = await offset();
    expect(await offset()).toBe(first);
    expect(first).toBeGreaterThanOrEqual(0);
    expect(first).toBeLessThan(HOUR_MS / 2);
    expect(await offset('schedule: "*/10 * * * *"')).toBeLessThan(HOUR_MS / 6);
  });

  test("is nothing with splay 0, and within a duration that is given", async () => {
    expect(await offset("splay: 0")).toBe(0);
    expect(await offset("splay: 0s")).toBe(0);
    const minute = await offset("splay: 1m");
    expect(minute).toBeLessThan(60_000);
    expect(await offset("splay: 2m")).toBeCloseTo(minute * 2, -1);
  });

  test("spreads a fleet of 10,000 serials evenly, so that STS sees no burst", () => {
    const buckets = new Array<number>(60).fill(0);
    for (let index = 0; index < 10_000; index += 1) {
      const serial = `SN${String(index).padStart(6, "0")}`;
      const bucket = Math.floor(offsetOf({ serial, splay: HOUR_MS / 2, schedule: "*/30 * * * *" }) / 30_000);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    expect(buckets).toHaveLength(60);
    // Chi-squared with 59 degrees of freedom: 98.3 is exceeded once in a thousand; the serials are fixed.
    const mean = 10_000 / 60;
    const chiSquared = buckets.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
    expect(chiSquared).toBeLessThan(98.3);
  });
});
