/**
 * One lifecycle event from the service's command to the report: specification, acknowledgement, tracking file,
 * script, report (`command_poller.rb`). The script is what the emulator put into the deployment specification.
 */
import { spawn } from "node:child_process";
import type { Log } from "./agent-log.ts";
import type { CommandsClient } from "./commands-client.ts";
import type { EventTracking } from "./event-tracking.ts";
import { isRecord, type Json, parseRecord, requiredString } from "./json-fields.ts";
import type { Trace } from "./trace.ts";

/** Codes of the original's `ScriptError`. */
export const DiagnosticCode = { succeeded: 0, scriptFailed: 4, unknown: 5, failedAfterRestart: 7 } as const;

/** The end of a script's output that goes into the report. */
const REPORTED_OUTPUT_CHARACTERS = 2048;

export interface HostCommand {
  hostCommandIdentifier: string;
  deploymentExecutionId: string;
  commandName: string;
}

interface DeploymentSpecification {
  deploymentId: string;
  script: string;
}

export interface EventContext {
  sessionArn: string;
  client: CommandsClient;
  tracking: EventTracking;
  log: Log;
  trace: Trace;
}

/** Runs the event and reports it. Never throws: what goes wrong is reported as a failure of the event, and logged. */
export async function runLifecycleEvent(command: HostCommand, context: EventContext): Promise<void> {
  try {
    const specification = await deploymentSpecification(command, context);
    if (!(await acknowledged(command, context))) return;
    await executeTracked(command, specification, context);
  } catch (error) {
    context.log("error", `Error during perform: ${describe(error)}`);
    await report(command, "Failed", DiagnosticCode.unknown, describe(error), context);
  }
}

/** `Diagnostics` of a report, as the original's `ScriptError#to_json` has them. */
export function diagnostics(code: number, message: string, output = ""): Json {
  const payload = { error_code: code, script_name: "", message, log: output };
  return { Format: "JSON", Payload: JSON.stringify(payload) };
}

async function deploymentSpecification(
  command: HostCommand,
  { client, sessionArn }: EventContext,
): Promise<DeploymentSpecification> {
  const answer = await client.call("GetDeploymentSpecification", {
    DeploymentExecutionId: command.deploymentExecutionId,
    HostIdentifier: sessionArn,
  });
  if (answer.DeploymentSystem !== "CodeDeploy") {
    throw new Error(`Deployment System mismatch: CodeDeploy != ${String(answer.DeploymentSystem)}`);
  }
  const { DeploymentSpecification: specification } = answer;
  const envelope = isRecord(specification) ? specification.GenericEnvelope : undefined;
  if (!isRecord(envelope)) throw new Error("Deployment Specification missing");
  const payload = parseRecord(requiredString(envelope, "Payload"));
  return {
    deploymentId: requiredString(payload, "DeploymentId"),
    script: requiredString(payload, "Script"),
  };
}

/** Whether the service still wants the command executed. */
async function acknowledged(command: HostCommand, { client }: EventContext): Promise<boolean> {
  const answer = await client.call("PutHostCommandAcknowledgement", {
    HostCommandIdentifier: command.hostCommandIdentifier,
    Diagnostics: { Format: "JSON", Payload: JSON.stringify({ IsCommandNoop: false }) },
  });
  return answer.CommandStatus !== "Succeeded" && answer.CommandStatus !== "Failed";
}

async function executeTracked(
  command: HostCommand,
  { deploymentId, script }: DeploymentSpecification,
  context: EventContext,
): Promise<void> {
  const { hostCommandIdentifier, commandName } = command;
  context.tracking.begin(deploymentId, hostCommandIdentifier);
  try {
    context.trace("event_started", { deploymentId, hostCommandIdentifier, commandName });
    const { exitCode, output } = await runScript(script, {
      LIFECYCLE_EVENT: commandName,
      DEPLOYMENT_ID: deploymentId,
    });
    const status = exitCode === 0 ? "Succeeded" : "Failed";
    const code = exitCode === 0 ? DiagnosticCode.succeeded : DiagnosticCode.scriptFailed;
    const reported = await report(command, status, code, `exit code ${exitCode}`, context, output);
    context.trace("event_finished", { deploymentId, hostCommandIdentifier, status, reported });
  } finally {
    context.tracking.end(deploymentId);
  }
}

/** Whether the service took the report. */
async function report(
  { hostCommandIdentifier }: HostCommand,
  status: "Succeeded" | "Failed",
  code: number,
  message: string,
  { client, log }: EventContext,
  output = "",
): Promise<boolean> {
  log("debug", `Calling PutHostCommandComplete: "${status}"`);
  try {
    await client.call("PutHostCommandComplete", {
      HostCommandIdentifier: hostCommandIdentifier,
      CommandStatus: status,
      Diagnostics: diagnostics(code, message, output),
    });
    return true;
  } catch (error) {
    log("error", `Error during perform: ${describe(error)}`);
    return false;
  }
}

/**
 * Runs the script in a process group of its own, as the original does, and waits until it has ended and its output
 * is closed: a background process that keeps the output open keeps the event in progress.
 */
function runScript(
  script: string,
  environment: Record<string, string>,
): Promise<{ exitCode: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", script], {
      detached: true,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keepEnd = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-REPORTED_OUTPUT_CHARACTERS);
    };
    child.stdout.on("data", keepEnd);
    child.stderr.on("data", keepEnd);
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode: exitCode ?? 1, output }));
  });
}

const describe = (error: unknown) =>
  error instanceof Error ? `${error.name} - ${error.message}` : String(error);
