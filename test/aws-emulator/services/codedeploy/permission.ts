/**
 * The rights that a CodeDeploy call needs: its own action, on each instance it names, or on all of them. The
 * name comes after a colon (Service Authorization Reference, "Resource types defined by AWS CodeDeploy"); an
 * instance's own ARN, which has a slash and a suffix, is not what policies are matched against.
 */
import type { Permission } from "../../identity/authorization.ts";
import type { Json } from "../../json.ts";
import type { World } from "../../world.ts";
import type { Call } from "../operation.ts";

export function instancePermissions(world: World, call: Call): Permission[] {
  const { instanceName, instanceNames } = call.parameters;
  const named: readonly Json[] = Array.isArray(instanceNames) ? instanceNames : [instanceName ?? null];
  const names = named.filter((name) => typeof name === "string");
  const resources = names.map(
    (name) => `arn:aws:codedeploy:${call.region}:${world.directory.account}:instance:${name}`,
  );
  const action = `codedeploy:${call.action}`;
  return (resources.length > 0 ? resources : ["*"]).map((resource) => ({ action, resource }));
}
