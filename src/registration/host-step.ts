/** Is this host ready? Everything that can be known before anything is changed, and told all at once. */
import { readAgentVersion } from "../agent/installation.ts";
import { type AgentService, inspectService } from "../agent/service.ts";
import { type AgentSettings, readAgentSettings } from "../agent/settings.ts";
import { regionalHost, serviceEndpoint } from "../aws/client.ts";
import type { Network } from "../aws/network.ts";
import { reach } from "../aws/reach.ts";
import type { Config } from "../config/config.ts";
import { formatDuration } from "../config/duration.ts";
import { Failure } from "../failure.ts";
import { processEnvironment } from "../host/process-environment.ts";
import { isBootedWithSystemd } from "../host/systemd.ts";
import type { StepOutcome } from "../report/progress.ts";
import { environmentProxy } from "./environment-proxy.ts";
import { SERVICE, serviceObstacle } from "./service-step.ts";

export interface HostFacts {
  settings: AgentSettings;
  service: AgentService;
}

export interface HostCheck {
  outcome: StepOutcome;
  facts: HostFacts;
}

/** SigV4 refuses a clock that is further off (FACTS). */
const LARGEST_SKEW_MS = 5 * 60_000;
const NOTED_SKEW_MS = 60_000;

/** @throws Failure `host_not_ready` with everything that stands in the way, `unreachable`, `tls` … */
export async function checkHost(
  config: Config,
  network: Network,
  env: NodeJS.ProcessEnv,
  { willInstallAgent = false } = {},
): Promise<HostCheck> {
  const obstacles: string[] = [];
  const steps: string[] = [];
  if (process.geteuid?.() !== 0) obstacles.push("this command must be run as root (sudo)");
  if (!isBootedWithSystemd()) obstacles.push("systemd is not this host's init, and the service needs it");
  const reading = await readAgentSettings(config.agent.settingsFile);
  if ("unreadable" in reading) throw notReady([...obstacles, reading.unreadable], []);
  const { settings } = reading;
  const service = await inspectService(config.agent.service, settings);
  if (service.state === "absent" && !willInstallAgent) {
    obstacles.push(`the CodeDeploy agent is not installed (there is no unit ${config.agent.service})`);
    steps.push("--install-agent installs the agent from AWS's bucket.");
  }
  if (service.state === "masked") obstacles.push(service.detail);
  const profile = await otherProfile(service, config);
  if (profile !== null) {
    obstacles.push(
      `the CodeDeploy agent reads the profile ${profile} (AWS_PROFILE in its environment), but we write ${config.credentialsFile.profile}`,
    );
    steps.push(`Write into ${config.configFile}: credentials_file: { profile: ${profile} }`);
  }
  const ours = isBootedWithSystemd() ? await serviceObstacle() : null;
  if (ours !== null) {
    obstacles.push(ours.what);
    steps.push(ours.nextStep);
  }
  if (obstacles.length > 0) throw notReady(obstacles, steps);
  const skewMs = await reachAws(config, network, env);
  const version = await readAgentVersion();
  const seen = [
    service.state === "absent"
      ? "the CodeDeploy agent is to be installed"
      : `CodeDeploy agent ${version ?? "of unknown version"}, ${service.state}`,
    `STS and CodeDeploy answer${network.route}`,
    skewMs === null ? "" : `clock ${formatDuration(Math.abs(skewMs))} off AWS's`,
  ];
  // An agent that is still to come has no settings that could differ.
  const hasAgent = service.state !== "absent";
  const notes = [
    ...(hasAgent ? [...proxyNotes(config, settings, env), ...policyNotes(settings)] : []),
    ...clockNotes(skewMs),
  ];
  const state = notes.length > 0 ? "note" : "ok";
  return {
    facts: { settings, service },
    outcome: { state, detail: seen.filter(Boolean).join("; "), notes },
  };
}

/** A worker that does not find its profile in the file dies at its start (FACTS). */
async function otherProfile({ master }: AgentService, { credentialsFile }: Config): Promise<string | null> {
  const environment = master === null ? null : await processEnvironment(master.pid);
  if (environment === null) return null;
  const profile = environment.get("AWS_PROFILE") || "default";
  return profile === credentialsFile.profile ? null : profile;
}

/** @returns the server's clock minus ours, in milliseconds */
async function reachAws(config: Config, network: Network, env: NodeJS.ProcessEnv): Promise<number | null> {
  const skews: (number | null)[] = [];
  for (const service of ["sts", "codedeploy"] as const) {
    const url = serviceEndpoint(service, config, env) ?? `https://${regionalHost(service, config.region)}`;
    skews.push((await reach(url, network)).skewMs);
  }
  const skewMs = skews.find((skew) => skew !== null) ?? null;
  if (skewMs !== null && Math.abs(skewMs) > LARGEST_SKEW_MS) {
    throw new Failure({
      kind: "clock_off",
      message: `this host's clock is ${formatDuration(Math.abs(skewMs))} ${skewMs > 0 ? "behind" : "ahead of"} AWS's: AWS refuses every call that is more than 5 min off`,
      nextStep: "Set the clock and keep it set: chronyc tracking, or timedatectl.",
    });
  }
  return skewMs;
}

function notReady(obstacles: readonly string[], steps: readonly string[]): Failure {
  const list =
    obstacles.length === 1 ? obstacles[0] : obstacles.map((obstacle) => `- ${obstacle}`).join("\n");
  return new Failure({ kind: "host_not_ready", message: list ?? "", nextStep: steps.join(" ") });
}

function clockNotes(skewMs: number | null): string[] {
  return skewMs !== null && Math.abs(skewMs) >= NOTED_SKEW_MS
    ? [`The clock is ${formatDuration(Math.abs(skewMs))} off; from 5 min on AWS refuses every call.`]
    : [];
}

/** The agent polls through its own proxy setting, whatever ours is. */
function proxyNotes(config: Config, { proxyUri }: AgentSettings, env: NodeJS.ProcessEnv): string[] {
  const ours = config.network.proxy ?? env.https_proxy ?? env.HTTPS_PROXY ?? null;
  const hostOf = (url: string | null) => (url === null ? null : (URL.parse(url)?.host ?? "an unusable URL"));
  const [own, agents] = [hostOf(ours || null), hostOf(proxyUri)];
  const file = config.agent.settingsFile;
  const notes = own !== null && config.network.proxy === null ? notKept(own, config, env) : [];
  if (own === agents) return notes;
  return [...notes, ...differentProxies(own, agents, file)];
}

/** The service gets nothing of this command's environment. */
function notKept(proxy: string, { configFile }: Config, env: NodeJS.ProcessEnv): string[] {
  const found = environmentProxy(env);
  if (found.kind === "none") return [];
  const isForConfig = found.kind === "found";
  const where = isForConfig
    ? `set network.proxy in ${configFile}`
    : `${found.why}, so put HTTPS_PROXY into a drop-in: systemctl edit ${SERVICE}`;
  return [`The proxy ${proxy} is in this command's environment, which the service does not get: ${where}.`];
}

function differentProxies(own: string | null, agents: string | null, file: string): string[] {
  if (agents === null)
    return [`We go through the proxy ${own}, but the agent would not: set :proxy_uri: in ${file}.`];
  if (own === null)
    return [
      `The agent goes through the proxy ${agents} (:proxy_uri: in ${file}), and we do not: set network.proxy.`,
    ];
  return [`We go through the proxy ${own}, the agent through ${agents} (:proxy_uri: in ${file}).`];
}

function policyNotes({ enableAuthPolicy }: AgentSettings): string[] {
  return enableAuthPolicy
    ? [
        "The agent has :enable_auth_policy: on, so the role needs codedeploy-commands-secure:* as well: idc-helper iam --auth-policy prints the policy.",
      ]
    : [];
}
