/** A lifecycle event on its way through an agent, and how it is named on the wire. */
import { z } from "zod";
import type { JsonObject } from "../../json.ts";

/** The commands that the agent maps to hooks (`command_poller.rb`), and the two it handles itself. */
export const COMMAND_NAMES = [
  "DownloadBundle",
  "Install",
  "BeforeBlockTraffic",
  "AfterBlockTraffic",
  "ApplicationStop",
  "BeforeInstall",
  "AfterInstall",
  "ApplicationStart",
  "BeforeAllowTraffic",
  "AfterAllowTraffic",
  "ValidateService",
] as const;

export const eventSpecSchema = z.strictObject({
  /** The session ARN of the host. */
  hostIdentifier: z.string().min(1),
  name: z.enum(COMMAND_NAMES).default("ApplicationStart"),
  /** The shell script that the stand-in agent runs; the payload that carries it holds 8,192 characters. */
  script: z.string().max(7000),
  deploymentId: z
    .string()
    .regex(/^d-[A-Z0-9]{9}$/)
    .optional(),
});

export type EventSpec = z.input<typeof eventSpecSchema>;

export type EventState = "queued" | "polled" | "acknowledged" | "succeeded" | "failed";

export interface LifecycleEvent {
  /** Also the HostCommandIdentifier. */
  readonly id: string;
  readonly hostIdentifier: string;
  readonly name: string;
  readonly script: string;
  readonly deploymentId: string;
  readonly deploymentExecutionId: string;
  readonly state: EventState;
  /** How often the event was handed to a poll. */
  readonly deliveries: number;
  readonly queuedAt: Date;
  readonly polledAt: Date | null;
  readonly acknowledgedAt: Date | null;
  readonly endedAt: Date | null;
  /** The Payload of the diagnostics that came with the end. */
  readonly diagnostics: string | null;
}

/** Shaped as in the agent's logs: base64 of a JSON array of class name and fields. */
export function commandIdentifier(
  event: Pick<LifecycleEvent, "deploymentExecutionId" | "hostIdentifier" | "name">,
  nth: number,
): string {
  const fields = {
    deploymentId: event.deploymentExecutionId,
    hostId: event.hostIdentifier,
    commandName: event.name,
    commandPosition: nth,
    commandAttempt: 1,
  };
  const identifier = ["com.amazon.apollo.deploycontrol.domain.HostCommandIdentifier", fields];
  return Buffer.from(JSON.stringify(identifier)).toString("base64");
}

/** What the agent's `deployment_specification.rb` demands of a specification, and the script. */
export function deploymentSpecification(event: LifecycleEvent): JsonObject {
  const payload = {
    DeploymentId: event.deploymentId,
    DeploymentGroupId: "5f3a2c1e-8d47-4b0a-9a52-6f1d0c7b2e90",
    DeploymentGroupName: "idc",
    ApplicationName: "idc-application",
    DeploymentCreator: "user",
    DeploymentType: "IN_PLACE",
    AgentActionOverrides: null,
    Revision: {
      RevisionType: "Local Directory",
      LocalRevision: { Location: "/nonexistent", BundleType: "directory" },
    },
    Script: event.script,
  };
  return {
    DeploymentSystem: "CodeDeploy",
    DeploymentSpecification: {
      GenericEnvelope: { Format: "TEXT/JSON", Payload: JSON.stringify(payload) },
    },
  };
}
