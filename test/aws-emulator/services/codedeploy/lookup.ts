/** GetOnPremisesInstance, BatchGetOnPremisesInstances and ListOnPremisesInstances. */
import { AwsError } from "../../aws-error.ts";
import type { JsonObject } from "../../json.ts";
import type { World } from "../../world.ts";
import type { Operation } from "../operation.ts";
import { optionalString } from "../parameters.ts";
import type { OnPremisesInstance } from "./instance-registry.ts";
import { readInstanceName, readInstanceNames } from "./naming.ts";
import { instancePermissions } from "./permission.ts";
import { readTagFilters } from "./tags.ts";

export function getOperation(world: World): Operation {
  return {
    parameters: ["instanceName"],
    permissions: (call) => instancePermissions(world, call),
    run(call) {
      const name = readInstanceName(call.parameters);
      const instance = world.instances.find(call.region, name);
      if (instance === undefined)
        throw new AwsError(
          "InstanceNotRegisteredException",
          `The specified on-premises instance is not registered: ${name}`,
        );
      return { instanceInfo: describe(instance) };
    },
  };
}

/** Names that are not known are left out of the answer. */
export function batchGetOperation(world: World): Operation {
  return {
    parameters: ["instanceNames"],
    permissions: (call) => instancePermissions(world, call),
    run(call) {
      const names = readInstanceNames(call.parameters, "BatchLimitExceededException");
      const found = names.map((name) => world.instances.find(call.region, name));
      return { instanceInfos: found.filter((instance) => instance !== undefined).map(describe) };
    },
  };
}

export function listOperation(world: World): Operation {
  return {
    parameters: ["registrationStatus", "tagFilters", "nextToken"],
    permissions: (call) => instancePermissions(world, call),
    run(call) {
      const hasStatus = readStatusFilter(call.parameters);
      const matchesTags = readTagFilters(call.parameters);
      const start = readNextToken(call.parameters);
      const names = world.instances
        .inRegion(call.region)
        .filter((instance) => hasStatus(instance) && matchesTags(instance.tags))
        .map(({ name }) => name);
      const end = start + world.settings.listPageSize;
      const page = { instanceNames: names.slice(start, end) };
      return end < names.length ? { ...page, nextToken: writeNextToken(end) } : page;
    },
  };
}

function readStatusFilter(parameters: JsonObject): (instance: OnPremisesInstance) => boolean {
  const status = optionalString(parameters, "registrationStatus");
  if (status === undefined) return () => true;
  if (status !== "Registered" && status !== "Deregistered")
    throw new AwsError("InvalidRegistrationStatusException", `Invalid registration status: ${status}`);
  return ({ deregisteredAt }) => (deregisteredAt === null) === (status === "Registered");
}

function writeNextToken(offset: number): string {
  return Buffer.from(`offset:${offset}`).toString("base64");
}

function readNextToken(parameters: JsonObject): number {
  const token = optionalString(parameters, "nextToken");
  if (token === undefined) return 0;
  const offset = /^offset:(\d+)$/.exec(Buffer.from(token, "base64").toString())?.[1];
  if (offset === undefined) throw new AwsError("InvalidNextTokenException", "The next token is invalid");
  return Number(offset);
}

/** Times are seconds since the epoch, with a fraction. */
function describe(instance: OnPremisesInstance): JsonObject {
  const { name, arn, iamSessionArn, iamUserArn, registeredAt, deregisteredAt, tags } = instance;
  return {
    instanceName: name,
    instanceArn: arn,
    ...(iamSessionArn === null ? {} : { iamSessionArn }),
    ...(iamUserArn === null ? {} : { iamUserArn }),
    registerTime: registeredAt.getTime() / 1000,
    ...(deregisteredAt === null ? {} : { deregisterTime: deregisteredAt.getTime() / 1000 }),
    tags: tags.map(({ Key, Value }) => ({ Key, Value })),
  };
}
