/**
 * The worker process of the stand-in agent: what `worker-process.ts` runs and the master replaces.
 *
 * Everything it knows it reads when it starts, once: the on-premises config, and the credentials (FACTS).
 */
import { AgentCredentials } from "./agent-credentials.ts";
import { type Log, openLog } from "./agent-log.ts";
import { type AgentSettings, readAgentSettings, trackingDirectory } from "./agent-settings.ts";
import { CommandPoller } from "./command-poller.ts";
import { CommandsClient } from "./commands-client.ts";
import { CredentialHolder } from "./credential-holder.ts";
import { EventTracking } from "./event-tracking.ts";
import { DiagnosticCode, diagnostics, runLifecycleEvent } from "./lifecycle-event.ts";
import { type OnPremisesConfig, readOnPremisesConfig, userKeySource } from "./on-premises-config.ts";
import { Pace } from "./pace.ts";
import { profileSource } from "./profile-source.ts";
import { openTrace, type Trace } from "./trace.ts";

/** `DEPLOYMENT_EVENT_FILE_STALE_TIMELIMIT_SECONDS` */
const STALE_TRACKING_SECONDS = 86_400;
const DESCRIPTION = "InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller";

export interface WorkerOptions {
  settingsFile: string;
  /** Where the command service is; without it, AWS's own endpoint of the configured region. */
  endpoint: string | undefined;
  timeFactor: number;
  masterPid: number;
  traceFile: string | undefined;
}

/** The title by which `ps` and `/proc/PID/cmdline` show the worker. */
export const workerTitle = (programName: string, masterPid: number) =>
  `${programName}: ${DESCRIPTION} of master ${masterPid}`;

/** Runs until a graceful stop is over or the master is gone. @throws what kills the original's worker at start */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const settings = readAgentSettings(options.settingsFile);
  const log = openLog(settings, DESCRIPTION);
  const trace = openTrace(options.traceFile);
  process.title = workerTitle(settings.programName, options.masterPid);
  trace("worker_started", { masterPid: options.masterPid });
  try {
    const poller = await prepare(options, settings, log, trace);
    await poller.run();
    trace("worker_exiting", { eventsAbandoned: poller.eventsInHand });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log("error", `error during start or run: ${reason}`);
    trace("worker_failed", { reason });
    throw error;
  }
}

async function prepare(
  { endpoint, masterPid, timeFactor }: WorkerOptions,
  settings: AgentSettings,
  log: Log,
  trace: Trace,
): Promise<CommandPoller> {
  const pace = new Pace(timeFactor);
  const config = readOnPremisesConfig(settings.onPremisesConfigFile);
  trace("config_read", { ...config });
  const holder = new CredentialHolder(
    userKeySource(settings.onPremisesConfigFile) ?? profileSource(config.credentialsFile, process.env),
  );
  const credentials = new AgentCredentials(holder, () => pace.wallClock(Date.now()), trace);
  credentials.readNow("start");
  const client = new CommandsClient({
    endpoint: new URL(endpoint ?? awsEndpoint(config, settings)),
    region: config.region,
    credentials,
    pace,
    readTimeoutSeconds: settings.httpReadTimeoutSeconds,
    isSecure: settings.enableAuthPolicy,
  });
  const tracking = new EventTracking(trackingDirectory(settings), pace.durationMs(STALE_TRACKING_SECONDS));
  const poller = new CommandPoller({
    sessionArn: config.sessionArn,
    client,
    runEvent: (command) =>
      runLifecycleEvent(command, { sessionArn: config.sessionArn, client, tracking, log, trace }),
    masterAlive: () => isAlive(masterPid),
    waitBetweenRunsSeconds: settings.waitBetweenRunsSeconds,
    maxShutdownSeconds: settings.killAgentMaxWaitSeconds,
    pace,
    log,
    logCalls: openLog(settings),
    trace,
  });
  for (const signal of ["SIGINT", "SIGQUIT", "SIGTERM"] as const) {
    process.on(signal, () => poller.stop(signal));
  }
  await failLeftOver(client, tracking, log, trace);
  return poller;
}

/**
 * Reports the event that an earlier worker died in as failed, and removes the tracking directory. Whatever goes
 * wrong on the way leaves the file where it is and does not keep the worker from starting (FACTS; issue 356).
 */
async function failLeftOver(
  client: CommandsClient,
  tracking: EventTracking,
  log: Log,
  trace: Trace,
): Promise<void> {
  try {
    const hostCommandIdentifier = tracking.leftOver(Date.now());
    if (hostCommandIdentifier === undefined) return;
    trace("leftover_found", { hostCommandIdentifier });
    log("warn", "Deployment tracking file found. Failing the lifecycle event.");
    const message = "Failed: Failing in-progress lifecycle event after an agent restart.";
    await client.call("PutHostCommandComplete", {
      HostCommandIdentifier: hostCommandIdentifier,
      CommandStatus: "Failed",
      Diagnostics: diagnostics(DiagnosticCode.failedAfterRestart, message),
    });
    tracking.clear();
    trace("leftover_reported", { hostCommandIdentifier });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log("error", `Exception thrown during restart recovery: ${message}`);
    trace("leftover_kept", { message });
  }
}

const awsEndpoint = ({ region }: OnPremisesConfig, { enableAuthPolicy }: AgentSettings) =>
  `https://codedeploy-commands${enableAuthPolicy ? "-secure" : ""}.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
