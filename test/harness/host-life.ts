/**
 * The steps of a host's life that need a right, each as a call that AWS may refuse. Policies are proven by them:
 * all pass under what `idc-helper iam` prints, and without any one statement of it some step fails.
 */
import {
  AddTagsToOnPremisesInstancesCommand,
  type CodeDeployClient,
  DeregisterOnPremisesInstanceCommand,
  GetOnPremisesInstanceCommand,
  RegisterOnPremisesInstanceCommand,
  RemoveTagsFromOnPremisesInstancesCommand,
} from "@aws-sdk/client-codedeploy";
import type { Emulator } from "../aws-emulator/emulator.ts";
import { codedeployClient } from "../unit/aws-emulator/clients.ts";
import { hostCommand } from "../unit/aws-emulator/host-commands.ts";
import { sendSigned } from "../unit/aws-emulator/signed-request.ts";
import type { Scene } from "./scene.ts";
import { SERIAL, SESSION_ARN } from "./scratch-host.ts";

export const REVISIONS = "idc-revisions";
const REVISION = "app/1.zip";

export interface LifeStep {
  readonly name: string;
  /** @throws when AWS refuses */
  run(scene: Scene): Promise<void>;
}

const refresh: LifeStep = {
  name: "refresh",
  async run({ host }) {
    const { code, stdout, stderr } = await host.command("refresh");
    if (code !== 0) throw new Error(`refresh ended with ${code}: ${stdout}${stderr}`);
  },
};

const named = { instanceName: SERIAL };
const tagged = { instanceNames: [SERIAL], tags: [{ Key: "Stage", Value: "prod" }] };

/** What the operator does, as calls of the SDK; each needs the operator's key alone. */
export const OPERATOR_STEPS: Readonly<Record<"arrival" | "departure", readonly LifeStep[]>> = {
  arrival: [
    operatorStep("register", (client) =>
      client.send(new RegisterOnPremisesInstanceCommand({ ...named, iamSessionArn: SESSION_ARN })),
    ),
    operatorStep("tag", (client) => client.send(new AddTagsToOnPremisesInstancesCommand(tagged))),
    operatorStep("read back", (client) => client.send(new GetOnPremisesInstanceCommand(named))),
  ],
  departure: [
    operatorStep("remove tags", (client) =>
      client.send(new RemoveTagsFromOnPremisesInstancesCommand(tagged)),
    ),
    operatorStep("deregister", (client) => client.send(new DeregisterOnPremisesInstanceCommand(named))),
  ],
};

/** The agent with the credentials that the last refresh brought. */
function agentSteps(service: "codedeploy-commands" | "codedeploy-commands-secure"): LifeStep[] {
  const send = async ({ emulator }: Scene, action: string, input: object) => {
    const answer = await hostCommand(emulator.url, lastSession(emulator), action, input, { service });
    if (answer.status !== 200) throw new Error(`${action}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const event = ({ emulator }: Scene) => emulator.events.list().at(-1);
  return [
    {
      name: "poll",
      async run(scene) {
        scene.emulator.events.queue({ hostIdentifier: SESSION_ARN, script: "true" });
        await send(scene, "PollHostCommand", { HostIdentifier: SESSION_ARN });
      },
    },
    {
      name: "fetch the specification",
      async run(scene) {
        const DeploymentExecutionId = event(scene)?.deploymentExecutionId;
        const input = { DeploymentExecutionId, HostIdentifier: SESSION_ARN };
        await send(scene, "GetDeploymentSpecification", input);
      },
    },
    {
      name: "acknowledge",
      async run(scene) {
        await send(scene, "PutHostCommandAcknowledgement", { HostCommandIdentifier: event(scene)?.id });
      },
    },
    {
      name: "complete",
      async run(scene) {
        const input = { HostCommandIdentifier: event(scene)?.id, CommandStatus: "Succeeded" };
        await send(scene, "PutHostCommandComplete", input);
      },
    },
  ];
}

const revisionSteps: LifeStep[] = [
  { name: "fetch a revision", run: ({ emulator }) => fetchRevision(emulator, {}) },
  {
    name: "fetch a version of a revision",
    run: ({ emulator }) => {
      const versionId = emulator.buckets.list()[0]?.objects[0]?.versionId ?? "";
      return fetchRevision(emulator, { versionId });
    },
  },
];

export interface LifeOptions {
  /** The agent is set to `:enable_auth_policy:`. */
  authPolicy: boolean;
}

export function hostLife({ authPolicy }: LifeOptions): LifeStep[] {
  return [
    refresh,
    ...OPERATOR_STEPS.arrival,
    ...agentSteps(authPolicy ? "codedeploy-commands-secure" : "codedeploy-commands"),
    ...revisionSteps,
    ...OPERATOR_STEPS.departure,
  ];
}

/** Lives through all of it, whatever fails. @returns the steps that failed, with what they said */
export async function live(scene: Scene, options: LifeOptions): Promise<{ name: string; said: string }[]> {
  scene.emulator.settings.change({ pollHoldMs: 0 });
  scene.emulator.buckets.put({ name: REVISIONS, objects: { [REVISION]: "bytes" } });
  const failed: { name: string; said: string }[] = [];
  for (const { name, run } of hostLife(options)) {
    await run(scene).catch((error: unknown) => failed.push({ name, said: String(error) }));
  }
  return failed;
}

function operatorStep(name: string, call: (client: CodeDeployClient) => Promise<unknown>): LifeStep {
  return { name, run: async ({ emulator }) => void (await call(codedeployClient(emulator))) };
}

async function fetchRevision(emulator: Emulator, query: Record<string, string>): Promise<void> {
  const { credentials } = lastSession(emulator);
  const path = `/${REVISIONS}/${REVISION}`;
  const request = { credentials, service: "s3", method: "GET", path, query } as const;
  const response = await sendSigned(emulator.url, request);
  if (response.status !== 200) throw new Error(`GetObject: ${await response.text()}`);
}

function lastSession(emulator: Emulator) {
  const session = emulator.sessions.list().findLast(({ arn }) => arn === SESSION_ARN);
  if (session === undefined) throw new Error("there is no session");
  const { accessKeyId, secretAccessKey, sessionToken } = session;
  return { credentials: { accessKeyId, secretAccessKey, sessionToken } };
}
