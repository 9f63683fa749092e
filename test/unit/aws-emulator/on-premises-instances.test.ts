/** CodeDeploy's on-premises instances as AWS's own client sees them. */
import {
  AddTagsToOnPremisesInstancesCommand,
  BatchGetOnPremisesInstancesCommand,
  type BatchGetOnPremisesInstancesCommandOutput,
  type CodeDeployClient,
  DeregisterOnPremisesInstanceCommand,
  GetOnPremisesInstanceCommand,
  ListOnPremisesInstancesCommand,
  type ListOnPremisesInstancesCommandInput,
  RegisterOnPremisesInstanceCommand,
  RemoveTagsFromOnPremisesInstancesCommand,
} from "@aws-sdk/client-codedeploy";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Emulator } from "../../aws-emulator/emulator.ts";
import { BASE_KEY, ROLE_NAME, startEmulator } from "../../aws-emulator/emulator.ts";
import { codedeployClient, present } from "./clients.ts";

let emulator: Emulator;
let client: CodeDeployClient;
beforeAll(async () => {
  emulator = await startEmulator();
});
beforeEach(async () => {
  await emulator.reset();
  client = codedeployClient(emulator);
});
afterAll(() => emulator.close());

const sessionArn = (serial: string): string =>
  `arn:aws:sts::123456789012:assumed-role/${ROLE_NAME}/${serial}`;
const register = (instanceName: string, iamSessionArn = sessionArn(instanceName)): Promise<unknown> =>
  client.send(new RegisterOnPremisesInstanceCommand({ instanceName, iamSessionArn }));
const deregister = (instanceName: string): Promise<unknown> =>
  client.send(new DeregisterOnPremisesInstanceCommand({ instanceName }));
const names = async (input: ListOnPremisesInstancesCommandInput): Promise<unknown> =>
  (await client.send(new ListOnPremisesInstancesCommand(input))).instanceNames;
const tag = (instanceName: string, ...tags: { Key: string; Value: string }[]): Promise<unknown> =>
  client.send(new AddTagsToOnPremisesInstancesCommand({ instanceNames: [instanceName], tags }));

it("a registered instance is found, with its session ARN and the time", async () => {
  await register("serial-1");
  const { instanceInfo } = await client.send(new GetOnPremisesInstanceCommand({ instanceName: "serial-1" }));
  expect(instanceInfo).toMatchObject({
    instanceName: "serial-1",
    iamSessionArn: sessionArn("serial-1"),
    tags: [],
  });
  expect(instanceInfo?.instanceArn).toMatch(
    /^arn:aws:codedeploy:ap-northeast-2:123456789012:instance\/serial-1_\w{10}$/,
  );
  expect(Math.abs((instanceInfo?.registerTime?.getTime() ?? 0) - Date.now())).toBeLessThan(5000);
  const inOsaka = codedeployClient(emulator, { region: "ap-northeast-3" });
  await expect(
    inOsaka.send(new GetOnPremisesInstanceCommand({ instanceName: "serial-1" })),
  ).rejects.toThrow();
});

const iamUserArn = "arn:aws:iam::123456789012:user/host";
const iamSessionArn = sessionArn("serial-1");
it.each([
  ["InstanceNameRequiredException", { instanceName: "", iamSessionArn }],
  ["InvalidInstanceNameException", { instanceName: "i-serial", iamSessionArn }],
  ["InvalidInstanceNameException", { instanceName: "n".repeat(101), iamSessionArn }],
  ["IamArnRequiredException", { instanceName: "serial-1" }],
  ["MultipleIamArnsProvidedException", { instanceName: "serial-1", iamSessionArn, iamUserArn }],
  ["InvalidIamSessionArnException", { instanceName: "serial-1", iamSessionArn: iamUserArn }],
  ["InvalidIamUserArnException", { instanceName: "serial-1", iamUserArn: iamSessionArn }],
])("registering answers %s to %j", async (name, input) => {
  await expect(client.send(new RegisterOnPremisesInstanceCommand(input))).rejects.toMatchObject({ name });
});

it("a name and a session ARN are registered once", async () => {
  await register("serial-1");
  await expect(register("serial-1", sessionArn("serial-2"))).rejects.toMatchObject({
    name: "InstanceNameAlreadyRegisteredException",
  });
  await expect(register("serial-2", sessionArn("serial-1"))).rejects.toMatchObject({
    name: "IamSessionArnAlreadyRegisteredException",
  });
  await client.send(new RegisterOnPremisesInstanceCommand({ instanceName: "by-user", iamUserArn }));
  await expect(
    client.send(new RegisterOnPremisesInstanceCommand({ instanceName: "by-user-2", iamUserArn })),
  ).rejects.toMatchObject({ name: "IamUserArnAlreadyRegisteredException" });
});

it("a deregistered name stays taken for the time set, and is listed as deregistered", async () => {
  await register("serial-1");
  await deregister("serial-1");
  await deregister("never-registered");
  expect(await names({ registrationStatus: "Registered" })).toEqual([]);
  expect(await names({ registrationStatus: "Deregistered" })).toEqual(["serial-1"]);
  await expect(register("serial-1")).rejects.toMatchObject({
    name: "InstanceNameAlreadyRegisteredException",
  });
  emulator.settings.change({ deregisteredNameBlockedMs: 0 });
  await register("serial-1");
});

it("tags are added, filtered by, removed, and limited to ten", async () => {
  await register("serial-1");
  await register("serial-2");
  await tag("serial-1", { Key: "Env", Value: "prod" }, { Key: "Rack", Value: "7" });
  await tag("serial-2", { Key: "Env", Value: "dev" });
  expect(await names({ tagFilters: [{ Key: "Env", Type: "KEY_ONLY" }] })).toEqual(["serial-1", "serial-2"]);
  expect(await names({ tagFilters: [{ Key: "Env", Value: "prod", Type: "KEY_AND_VALUE" }] })).toEqual([
    "serial-1",
  ]);
  expect(await names({ tagFilters: [{ Value: "7", Type: "VALUE_ONLY" }] })).toEqual(["serial-1"]);
  const removed = { instanceNames: ["serial-1"], tags: [{ Key: "Rack", Value: "7" }] };
  await client.send(new RemoveTagsFromOnPremisesInstancesCommand(removed));
  expect(await names({ tagFilters: [{ Key: "Rack", Type: "KEY_ONLY" }] })).toEqual([]);
  const ten = Array.from({ length: 10 }, (_, index) => ({ Key: `k${index}`, Value: "v" }));
  await expect(tag("serial-1", ...ten)).rejects.toMatchObject({ name: "TagLimitExceededException" });
  await tag("serial-1", ...ten.slice(1));
});

it.each([
  ["TagRequiredException", { instanceNames: ["serial-1"], tags: [] }],
  ["InvalidTagException", { instanceNames: ["serial-1"], tags: [{ Key: "k".repeat(129), Value: "" }] }],
  ["InvalidTagException", { instanceNames: ["serial-1"], tags: [{ Key: "k", Value: "v".repeat(257) }] }],
  ["InstanceNotRegisteredException", { instanceNames: ["absent"], tags: [{ Key: "k", Value: "v" }] }],
  ["InstanceNameRequiredException", { instanceNames: [], tags: [{ Key: "k", Value: "v" }] }],
  [
    "InstanceLimitExceededException",
    { instanceNames: Array(101).fill("n"), tags: [{ Key: "k", Value: "v" }] },
  ],
])("tagging answers %s to %j", async (name, input) => {
  await register("serial-1");
  await expect(client.send(new AddTagsToOnPremisesInstancesCommand(input))).rejects.toMatchObject({ name });
});

it("a list comes in pages, and refuses a token that is not its own", async () => {
  emulator.settings.change({ listPageSize: 2 });
  for (const serial of ["host-a", "host-b", "host-c"]) await register(serial);
  const first = await client.send(new ListOnPremisesInstancesCommand({}));
  expect(first.instanceNames).toEqual(["host-a", "host-b"]);
  expect(await names({ nextToken: present(first.nextToken) })).toEqual(["host-c"]);
  await expect(names({ nextToken: "nonsense" })).rejects.toMatchObject({ name: "InvalidNextTokenException" });
});

it("a batch leaves unknown names out, and holds a hundred at most", async () => {
  await register("serial-1");
  const batch = (instanceNames: string[]): Promise<BatchGetOnPremisesInstancesCommandOutput> =>
    client.send(new BatchGetOnPremisesInstancesCommand({ instanceNames }));
  expect((await batch(["serial-1", "absent"])).instanceInfos).toHaveLength(1);
  await expect(batch(Array(101).fill("n"))).rejects.toMatchObject({ name: "BatchLimitExceededException" });
});

it("a caller without the right is told which one it lacks, on which instance", async () => {
  const stranger = codedeployClient(emulator, { credentials: BASE_KEY });
  await expect(
    stranger.send(new GetOnPremisesInstanceCommand({ instanceName: "serial-1" })),
  ).rejects.toMatchObject({
    name: "AccessDeniedException",
    message:
      "User: arn:aws:iam::123456789012:user/idc-base is not authorized to perform: codedeploy:GetOnPremisesInstance " +
      "on resource: arn:aws:codedeploy:ap-northeast-2:123456789012:instance:serial-1",
  });
});

it("an instance that is not known is an error of its own", async () => {
  await expect(
    client.send(new GetOnPremisesInstanceCommand({ instanceName: "absent" })),
  ).rejects.toMatchObject({ name: "InstanceNotRegisteredException", $metadata: { httpStatusCode: 400 } });
});
