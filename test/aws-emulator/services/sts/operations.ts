/** The operations of STS that the project and its readers call. */
import type { World } from "../../world.ts";
import type { Operation, Operations } from "../operation.ts";
import { assumeRoleOperation } from "./assume-role.ts";

export function stsOperations(world: World): Operations {
  return { AssumeRole: assumeRoleOperation(world), GetCallerIdentity: getCallerIdentity(world) };
}

/** Needs no permission: AWS answers it even under an explicit deny. */
function getCallerIdentity(world: World): Operation {
  return {
    parameters: [],
    permissions: () => [],
    run: ({ principal }) => ({
      Arn: principal.arn,
      UserId: principal.userId,
      Account: world.directory.account,
    }),
  };
}
