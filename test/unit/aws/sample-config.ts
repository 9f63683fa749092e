/** A config as the loader makes it, for tests that change a part of it. */
import type { Config } from "../../../src/config/config.ts";

export function sampleConfig(changes: Partial<Config> = {}): Config {
  return {
    configFile: "/etc/idc-codedeploy-helper/config.yaml",
    serial: "SN-1",
    region: "ap-northeast-2",
    roleArn: "arn:aws:iam::123456789012:role/Role",
    sessionDurationMs: 3_600_000,
    schedule: "*/30 * * * *",
    offsetMs: 0,
    baseCredentials: { file: "/nonexistent/base", isDefault: false, profile: "default" },
    credentialsFile: { path: "/var/lib/x/credentials", profile: "default", group: null },
    agent: {
      service: "codedeploy-agent.service",
      settingsFile: "/nonexistent",
      onDrift: "repair",
      reload: "auto",
    },
    network: { proxy: null, caBundle: null, connectTimeoutMs: 5_000, requestTimeoutMs: 15_000 },
    endpoints: { sts: null, codedeploy: null },
    metrics: { textfile: null },
    paths: { stateDir: "/var/lib/x", runtimeDir: "/run/x", agentRuntimeDir: "/run/x-agent" },
    log: { level: "info", format: "auto" },
    ...changes,
  };
}
