/** The operations of CodeDeploy on on-premises instances. */
import type { World } from "../../world.ts";
import type { Operation, Operations } from "../operation.ts";
import { batchGetOperation, getOperation, listOperation } from "./lookup.ts";
import { deregisterOperation, registerOperation } from "./registration.ts";
import { addTagsOperation, removeTagsOperation } from "./tags.ts";

export function codedeployOperations(world: World): Operations {
  const operations: Record<string, Operation> = {
    RegisterOnPremisesInstance: registerOperation(world),
    GetOnPremisesInstance: getOperation(world),
    BatchGetOnPremisesInstances: batchGetOperation(world),
    ListOnPremisesInstances: listOperation(world),
    AddTagsToOnPremisesInstances: addTagsOperation(world),
    RemoveTagsFromOnPremisesInstances: removeTagsOperation(world),
    DeregisterOnPremisesInstance: deregisterOperation(world),
  };
  return Object.fromEntries(
    Object.entries(operations).map(([action, operation]) => [action, forgetting(world, operation)]),
  );
}

/** Names whose time has passed are free again before any operation looks. */
function forgetting(world: World, operation: Operation): Operation {
  return {
    ...operation,
    run(call) {
      const blockedMs = world.clock.realMs(world.settings.deregisteredNameBlockedMs);
      world.instances.forgetDeregistered(call.now, blockedMs);
      return operation.run(call);
    },
  };
}
