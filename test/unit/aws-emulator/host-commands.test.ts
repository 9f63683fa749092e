/** What an agent gets from the command service: its own events, once each, and nothing with stale credentials. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Emulator } from "../../aws-emulator/emulator.ts";
import { allow, ROLE_ARN, ROLE_NAME, startEmulator, trust } from "../../aws-emulator/emulator.ts";
import type { IssuedSession } from "./clients.ts";
import { assumeRole, REGION, SESSION_NAME, stsClient } from "./clients.ts";
import type { CommandAnswer } from "./host-commands.ts";
import { hostCommand } from "./host-commands.ts";

let emulator: Emulator;
let session: IssuedSession;
beforeAll(async () => {
  emulator = await startEmulator();
});
beforeEach(async () => {
  await emulator.reset();
  session = await assumeRole(stsClient(emulator));
  emulator.instances.put({ name: SESSION_NAME, region: REGION, iamSessionArn: session.arn });
});
afterAll(() => emulator.close());

interface HostCommand {
  readonly HostCommandIdentifier: string;
  readonly DeploymentExecutionId: string;
}

const send = (action: string, input: object): Promise<CommandAnswer> =>
  hostCommand(emulator.url, session, action, input);
const poll = (signal?: AbortSignal): Promise<CommandAnswer> =>
  hostCommand(
    emulator.url,
    session,
    "PollHostCommand",
    { HostIdentifier: session.arn },
    signal ? { signal } : {},
  );
const polledCommand = async (): Promise<HostCommand> => (await poll()).body.HostCommand as HostCommand;
const queue = (script = "true") => emulator.events.queue({ hostIdentifier: session.arn, script });

it("an event travels from the queue to its end", async () => {
  const { id } = queue("echo hello");
  const command = await polledCommand();
  expect(command).toMatchObject({
    HostIdentifier: session.arn,
    HostCommandIdentifier: id,
    CommandName: "ApplicationStart",
  });
  expect(emulator.events.get(id)).toMatchObject({ state: "polled", deliveries: 1 });

  const specification = await send("GetDeploymentSpecification", {
    DeploymentExecutionId: command.DeploymentExecutionId,
    HostIdentifier: session.arn,
  });
  expect(specification.body).toMatchObject({
    DeploymentSystem: "CodeDeploy",
    DeploymentSpecification: { GenericEnvelope: { Format: "TEXT/JSON" } },
  });
  const { GenericEnvelope } = specification.body.DeploymentSpecification as {
    GenericEnvelope: { Payload: string };
  };
  expect(JSON.parse(GenericEnvelope.Payload)).toMatchObject({
    DeploymentId: emulator.events.get(id)?.deploymentId,
    Script: "echo hello",
  });

  const acknowledged = await send("PutHostCommandAcknowledgement", {
    HostCommandIdentifier: id,
    Diagnostics: { Format: "JSON", Payload: '{"IsCommandNoop":false}' },
  });
  expect(acknowledged.body).toEqual({ CommandStatus: "InProgress" });
  const end = {
    HostCommandIdentifier: id,
    CommandStatus: "Failed",
    Diagnostics: { Format: "JSON", Payload: "why" },
  };
  expect((await send("PutHostCommandComplete", end)).status).toBe(200);
  expect(await emulator.events.waitFor(id)).toMatchObject({ state: "failed", diagnostics: "why" });
  expect((await send("PutHostCommandComplete", end)).body).toMatchObject({ __type: "ClientException" });
});

it("a poll is held until an event comes", async () => {
  const answer = poll();
  const { n } = await emulator.requests.waitFor(({ action }) => action === "PollHostCommand");
  expect(emulator.requests.list().find((record) => record.n === n)).toMatchObject({ status: null });
  const { id } = queue();
  expect((await answer).body).toMatchObject({ HostCommand: { HostCommandIdentifier: id } });
});

it("a poll that nothing comes for ends empty, after the hold", async () => {
  emulator.settings.change({ pollHoldMs: 20 });
  expect(await poll()).toEqual({ status: 200, body: {} });
});

it("an event is not given to a poll whose agent has gone", async () => {
  const controller = new AbortController();
  const abandoned = poll(controller.signal);
  await emulator.requests.waitFor(({ action }) => action === "PollHostCommand");
  controller.abort();
  await expect(abandoned).rejects.toThrow();
  await emulator.requests.waitFor(({ status, endedAt }) => status === null && endedAt !== null);
  const { id } = queue();
  expect(emulator.events.get(id)).toMatchObject({ state: "queued", deliveries: 0 });
  expect(await polledCommand()).toMatchObject({ HostCommandIdentifier: id });
});

it("an event that was never acknowledged comes again, one in progress does not", async () => {
  emulator.settings.change({ redeliverAfterMs: 50, pollHoldMs: 200 });
  const { id } = queue();
  await polledCommand();
  expect(await polledCommand()).toMatchObject({ HostCommandIdentifier: id, Nonce: 2 });
  await send("PutHostCommandAcknowledgement", { HostCommandIdentifier: id });
  expect(await poll()).toEqual({ status: 200, body: {} });
});

it("a host that is not registered, or asks in another's name, is refused as AWS refuses it", async () => {
  const refusal = { status: 400, body: { __type: "AccessDeniedException" } };
  const other = `arn:aws:sts::123456789012:assumed-role/${ROLE_NAME}/another`;
  expect(await send("PollHostCommand", { HostIdentifier: other })).toEqual(refusal);
  emulator.instances.remove(REGION, SESSION_NAME);
  expect(await poll()).toEqual(refusal);
  emulator.settings.change({ requireRegistration: false, pollHoldMs: 0 });
  expect(await poll()).toEqual({ status: 200, body: {} });
});

it("a poll with a session that has ended is refused, and counted as such", async () => {
  const { accessKeyId } = session.credentials;
  const issued = emulator.state.directory.session(accessKeyId);
  if (issued === undefined) throw new Error("no such session");
  emulator.state.directory.addSession({ ...issued, expiresAt: new Date(0) });
  emulator.faults.set({ match: { service: "sts" }, kind: "hang" });
  expect(await poll()).toMatchObject({ status: 400, body: { __type: "ExpiredTokenException" } });
  expect(emulator.requests.list().at(-1)).toMatchObject({
    credentials: "expired",
    stsReachable: false,
    principalArn: session.arn,
    errorCode: "ExpiredTokenException",
  });
});

it("under the secure name the role must be allowed the action", async () => {
  emulator.settings.change({ pollHoldMs: 0 });
  const service = "codedeploy-commands-secure";
  const input = { HostIdentifier: session.arn };
  const refused = await hostCommand(emulator.url, session, "PollHostCommand", input, { service });
  expect(refused.body).toMatchObject({ __type: "AccessDeniedException" });
  const trustPolicy = trust("arn:aws:iam::123456789012:user/idc-base");
  const policies = [allow("codedeploy-commands-secure:*")];
  expect(emulator.roles.put({ name: ROLE_NAME, trustPolicy, policies }).arn).toBe(ROLE_ARN);
  const allowed = await assumeRole(stsClient(emulator));
  const answer = await hostCommand(emulator.url, allowed, "PollHostCommand", input, { service });
  expect(answer).toEqual({ status: 200, body: {} });
});

it.each([
  ["ValidationException", "PutHostCommandComplete", { HostCommandIdentifier: "x", CommandStatus: "Done" }],
  ["ValidationException", "PollHostCommand", {}],
  ["ValidationException", "PollHostCommand", { HostIdentifier: "x", Typo: 1 }],
  ["SerializationException", "PollHostCommand", { HostIdentifier: 7 }],
  ["ClientException", "PutHostCommandAcknowledgement", { HostCommandIdentifier: "unknown" }],
  ["UnknownOperationException", "PollHostComand", {}],
])("%s answers %s with %j", async (code, action, input) => {
  expect(await send(action, input)).toMatchObject({ status: 400, body: { __type: code } });
});
