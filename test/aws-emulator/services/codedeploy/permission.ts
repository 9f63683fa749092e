/** The right that a CodeDeploy call needs: its own action, on the instance it names or on all of them. */
import type { Permission } from "../../identity/authorization.ts";
import type { World } from "../../world.ts";
import type { Call } from "../operation.ts";

export function instancePermission(world: World, call: Call): Permission {
  const name = call.parameters.instanceName;
  return {
    action: `codedeploy:${call.action}`,
    resource:
      typeof name === "string"
        ? `arn:aws:codedeploy:${call.region}:${world.directory.account}:instance:${name}`
        : "*",
  };
}
