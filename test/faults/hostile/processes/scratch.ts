/** A host in a scratch directory: everything that a command reads lies below it, and may be made hostile. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const BEFORE = "[other]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n";

export interface ScratchHost {
  directory: string;
  files: Readonly<Record<FileName, string>>;
  /** Of the server that stands in for AWS. */
  port: number;
}

export type FileName = keyof typeof FILES;

const FILES = {
  config: "etc/config.yaml",
  base: "etc/base-credentials",
  registration: "etc/registration.json",
  settings: "agent/codedeployagent.yml",
  agentConfig: "agent/codedeploy.onpremises.yml",
  agentLog: "agent/codedeploy-agent.log",
  pidFile: "agent/codedeploy-agent.pid",
  bundle: "etc/ca.pem",
  credentials: "state/credentials",
  refreshRecord: "state/refresh.json",
  refreshLock: "state/refresh.lock",
  runLock: "state/run.lock",
  status: "run/status.json",
  answer: "agent-run/agent.json",
  syncRecord: "agent-run/sync.json",
  syncLock: "agent-run/sync.lock",
  request: "agent-run/requests/sync",
} as const;

export function openScratchHost(directory: string, port: number): ScratchHost {
  const files = Object.fromEntries(
    Object.entries(FILES).map(([name, path]) => [name, join(directory, path)]),
  );
  return { directory, port, files: files as Record<FileName, string> };
}

/** As it is while all is well. */
export function reset(host: ScratchHost): void {
  const { directory, files } = host;
  rmSync(directory, { recursive: true, force: true });
  for (const name of ["etc", "agent", "state", "run", "agent-run/requests"])
    mkdirSync(join(directory, name), { recursive: true });
  chmodSync(directory, 0o755);
  writeFileSync(files.config, configText(host));
  writeFileSync(
    files.base,
    "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
  );
  const places = ["log_dir", "pid_dir", "root_dir"].map((key) => `:${key}: ${join(directory, "agent")}`);
  writeFileSync(
    files.settings,
    `---\n${places.join("\n")}\n:on_premises_config_file: ${files.agentConfig}\n`,
  );
  writeFileSync(files.credentials, BEFORE);
}

export function configText({ directory, files, port }: ScratchHost, more = ""): string {
  return `serial: SN-1
region: ap-northeast-2
role_arn: arn:aws:iam::123456789012:role/Role
base_credentials:
  file: ${files.base}
credentials_file:
  path: ${files.credentials}
agent:
  service: idc-no-such-agent.service
  settings_file: ${files.settings}
network:
  connect_timeout: 1s
  request_timeout: 2s
endpoints:
  sts: http://127.0.0.1:${port}
  codedeploy: http://127.0.0.1:${port}
paths:
  state_dir: ${join(directory, "state")}
  runtime_dir: ${join(directory, "run")}
  agent_runtime_dir: ${join(directory, "agent-run")}
${more}`;
}
