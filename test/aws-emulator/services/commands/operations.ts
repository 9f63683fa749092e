/**
 * The service that the agent polls, from the service models vendored with the agent (`CodeDeployCommand.api.json`
 * and `CodeDeployCommandSecure.api.json`). The caller must be the host: a session whose own ARN is the
 * HostIdentifier and is registered as an on-premises instance. Under the secure name (`:enable_auth_policy:`)
 * its role must also be allowed the action.
 */
import { AwsError } from "../../aws-error.ts";
import { ConstraintCheck } from "../../constraints.ts";
import type { Json, JsonObject } from "../../json.ts";
import { isJsonObject } from "../../json.ts";
import type { World } from "../../world.ts";
import type { Call, Operation, Operations } from "../operation.ts";
import { optionalString } from "../parameters.ts";
import type { LifecycleEvent } from "./lifecycle-event.ts";
import { deploymentSpecification } from "./lifecycle-event.ts";

export const PLAIN_SIGNING_NAME = "codedeploy-commands";
export const SECURE_SIGNING_NAME = "codedeploy-commands-secure";

export function commandOperations(world: World): Operations {
  return {
    PollHostCommand: operation(["HostIdentifier"], async (call) => {
      const hostIdentifier = checkedHost(world, call);
      const holdMs = world.clock.realMs(world.settings.pollHoldMs);
      const event = await world.events.take(hostIdentifier, holdMs, call.clientGone);
      if (event === null) return {};
      world.events.expectAcknowledgement(event.id, world.clock.realMs(world.settings.redeliverAfterMs));
      return {
        HostCommand: {
          HostIdentifier: event.hostIdentifier,
          HostCommandIdentifier: event.id,
          DeploymentExecutionId: event.deploymentExecutionId,
          CommandName: event.name,
          Nonce: event.deliveries,
        },
      };
    }),

    GetDeploymentSpecification: operation(["DeploymentExecutionId", "HostIdentifier"], (call) => {
      const hostIdentifier = checkedHost(world, call);
      const executionId = optionalString(call.parameters, "DeploymentExecutionId");
      const check = new ConstraintCheck();
      check.required("deploymentExecutionId", executionId);
      check.string("deploymentExecutionId", executionId, {
        minLength: 1,
        maxLength: 129,
        pattern: "[^/]+/[^/]+/[^/]+/.+",
      });
      check.throwIfViolated();
      const event = world.events
        .all()
        .findLast(
          (each) => each.deploymentExecutionId === executionId && each.hostIdentifier === hostIdentifier,
        );
      if (event === undefined) throw new AwsError("ClientException", "The deployment is not known");
      return deploymentSpecification(event);
    }),

    PutHostCommandAcknowledgement: operation(["HostCommandIdentifier", "Diagnostics"], (call) => {
      checkDiagnostics(call.parameters);
      const event = world.events.acknowledge(ownEvent(call, world).id);
      return { CommandStatus: commandStatus(event) };
    }),

    PutHostCommandComplete: operation(["HostCommandIdentifier", "CommandStatus", "Diagnostics"], (call) => {
      const status = optionalString(call.parameters, "CommandStatus");
      const check = new ConstraintCheck();
      check.required("commandStatus", status);
      check.oneOf("commandStatus", status, ["Succeeded", "Failed"]);
      check.throwIfViolated();
      const diagnostics = checkDiagnostics(call.parameters);
      const event = ownEvent(call, world);
      if (event.endedAt !== null) throw new AwsError("ClientException", "The command has ended already");
      world.events.end(event.id, status === "Succeeded" ? "succeeded" : "failed", diagnostics);
      return {};
    }),
  };
}

function operation(parameters: readonly string[], run: Operation["run"]): Operation {
  return {
    parameters,
    permissions: (call) =>
      call.signingName === SECURE_SIGNING_NAME
        ? [{ action: `${SECURE_SIGNING_NAME}:${call.action}`, resource: "*" }]
        : [],
    run,
  };
}

/** AWS refuses every stranger alike, without a word of explanation (agent issues 69 and 374). */
function checkedHost(world: World, { parameters, principal, region }: Call): string {
  const hostIdentifier = optionalString(parameters, "HostIdentifier");
  const check = new ConstraintCheck();
  check.required("hostIdentifier", hostIdentifier);
  check.throwIfViolated();
  const isRegistered =
    !world.settings.requireRegistration || world.instances.findByIamArn(region, principal.arn) !== undefined;
  if (hostIdentifier !== principal.arn || !isRegistered) throw new AwsError("AccessDenied");
  return hostIdentifier;
}

function ownEvent({ parameters, principal }: Call, world: World): LifecycleEvent {
  const id = optionalString(parameters, "HostCommandIdentifier");
  const check = new ConstraintCheck();
  check.required("hostCommandIdentifier", id);
  check.throwIfViolated();
  const event = world.events.get(id ?? "");
  if (event === undefined) throw new AwsError("ClientException", "The command is not known");
  if (event.hostIdentifier !== principal.arn) throw new AwsError("AccessDenied");
  return event;
}

function commandStatus(event: LifecycleEvent | undefined): string {
  if (event?.state === "succeeded") return "Succeeded";
  return event?.state === "failed" ? "Failed" : "InProgress";
}

/** An Envelope: Format of at most 64 characters, Payload of at most 8,192. */
function checkDiagnostics(parameters: JsonObject): string | null {
  const diagnostics: Json | undefined = parameters.Diagnostics;
  if (diagnostics === undefined || diagnostics === null) return null;
  if (!isJsonObject(diagnostics)) throw new AwsError("SerializationException", "Start of structure expected");
  const payload = optionalString(diagnostics, "Payload");
  const check = new ConstraintCheck();
  check.string("diagnostics.format", optionalString(diagnostics, "Format"), { minLength: 1, maxLength: 64 });
  check.string("diagnostics.payload", payload, { maxLength: 8192 });
  check.throwIfViolated();
  return payload ?? null;
}
