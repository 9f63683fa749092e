/**
 * The one table of every path that we read or write.
 *
 * Directories come from systemd where it made them, else from `paths` in the config, else from here.
 */
import { dirname, join } from "node:path";
import type { Paths } from "./config.ts";

export const CONFIG_FILE = "/etc/idc-codedeploy-helper/config.yaml";
export const BASE_CREDENTIALS_FILE = "/etc/idc-codedeploy-helper/base-credentials";
/** As a systemd credential: the file's name below $CREDENTIALS_DIRECTORY. */
export const BASE_CREDENTIAL_NAME = "base-credentials";
/** Where systemd (247 and newer) keeps what it has given the service, for as long as that runs. */
export const SERVICE_CREDENTIALS = "/run/credentials/idc-codedeploy-helper.service";
export const DEFAULT_PATHS: Paths = {
  stateDir: "/var/lib/idc-codedeploy-helper",
  runtimeDir: "/run/idc-codedeploy-helper",
  agentRuntimeDir: "/run/idc-codedeploy-helper-agent",
};

/** Root keeps its default profile here; the agent's SDK caches this file for ever (FACTS, issue 413). */
export const ROOT_SHARED_CREDENTIALS_FILE = "/root/.aws/credentials";

/** Where the agent's own settings point when its settings file does not say otherwise (agent, config.rb). */
export const AGENT_DEFAULTS = {
  settingsFile: "/etc/codedeploy-agent/conf/codedeployagent.yml",
  onPremisesConfigFile: "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml",
  rootDir: "/opt/codedeploy-agent/deployment-root",
  pidDir: "/opt/codedeploy-agent/state/.pid",
  logDir: "/var/log/aws/codedeploy-agent",
};

/** Written by the agent's package (aws-codedeploy-agent, its log: "Version file found in …"). */
export const AGENT_VERSION_FILE = "/opt/codedeploy-agent/.version";

/** The company's CAs, where `update-ca-trust` (RHEL) and `update-ca-certificates` (Debian) put them. */
export const HOST_CA_BUNDLES = [
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/certs/ca-certificates.crt",
];

/** Held by the commands that change what this host is; in a directory that is root's. */
export const HOST_LOCK = "/run/idc-codedeploy-helper.lock";

/** sd_booted(3). */
export const SYSTEMD_MARK = "/run/systemd/system";
/** What the firmware says of the machine (Linux, Documentation/ABI/testing/sysfs-firmware-dmi-entries). */
export const DMI_DIRECTORY = "/sys/class/dmi/id";
export const MACHINE_ID_FILE = "/etc/machine-id";

/** Beside the config file: root's, and not a secret. */
export const registrationFile = (configFile: string): string =>
  join(dirname(configFile), "registration.json");

/**
 * Root's alone: what `adopt` changed, and what was there before. Not in the state directory, which belongs to the
 * service's user: root neither writes nor believes anything in there.
 */
export const adoptionDirectory = (configFile: string): string => join(dirname(configFile), "adoption");

/** A drop-in of the administrator's own (systemd.unit(5)), which outlives an upgrade of the package. */
export const dropInFile = (unit: string, name: string): string =>
  `/etc/systemd/system/${unit}.d/50-${name}.conf`;

export const stateFiles = ({ stateDir }: Paths) => ({
  credentials: join(stateDir, "credentials"),
  /** What the last refresh wrote, and when. */
  refreshRecord: join(stateDir, "refresh.json"),
  /** What `run` must know after a restart of its own. */
  runRecord: join(stateDir, "run.json"),
  refreshLock: join(stateDir, "refresh.lock"),
  runLock: join(stateDir, "run.lock"),
});

export const runtimeFiles = ({ runtimeDir }: Paths) => ({ status: join(runtimeDir, "status.json") });

export const agentRuntimeFiles = ({ agentRuntimeDir }: Paths) => ({
  answer: join(agentRuntimeDir, "agent.json"),
  /** What the root oneshot must know of its own earlier runs. */
  syncRecord: join(agentRuntimeDir, "sync.json"),
  syncLock: join(agentRuntimeDir, "sync.lock"),
  requestDirectory: join(agentRuntimeDir, "requests"),
  request: join(agentRuntimeDir, "requests", "sync"),
});
