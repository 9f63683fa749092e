/** RegisterOnPremisesInstance and DeregisterOnPremisesInstance. */
import { AwsError } from "../../aws-error.ts";
import { BASE64_ALPHABET, randomCharacters } from "../../identity/generated.ts";
import type { World } from "../../world.ts";
import type { Call, Operation } from "../operation.ts";
import { readIamIdentity, readInstanceName } from "./naming.ts";
import { instancePermissions } from "./permission.ts";

export function registerOperation(world: World): Operation {
  return {
    parameters: ["instanceName", "iamSessionArn", "iamUserArn"],
    permissions: (call) => instancePermissions(world, call),
    run(call) {
      const name = readInstanceName(call.parameters);
      const identity = readIamIdentity(call.parameters);
      checkIsFree(world, call, name, identity.iamSessionArn ?? identity.iamUserArn);
      const suffix = randomCharacters(BASE64_ALPHABET.slice(0, 62), 10);
      world.instances.put({
        region: call.region,
        name,
        arn: `arn:aws:codedeploy:${call.region}:${world.directory.account}:instance/${name}_${suffix}`,
        ...identity,
        registeredAt: call.now,
        deregisteredAt: null,
        tags: [],
      });
      return {};
    },
  };
}

/** The model lists no exception for a name that is not registered: deregistering it again succeeds. */
export function deregisterOperation(world: World): Operation {
  return {
    parameters: ["instanceName"],
    permissions: (call) => instancePermissions(world, call),
    run(call) {
      const instance = world.instances.findRegistered(call.region, readInstanceName(call.parameters));
      if (instance !== undefined) world.instances.put({ ...instance, deregisteredAt: call.now });
      return {};
    },
  };
}

function checkIsFree(world: World, { region }: Call, name: string, iamArn: string): void {
  if (world.instances.find(region, name) !== undefined)
    throw new AwsError(
      "InstanceNameAlreadyRegisteredException",
      `The on-premises instance name is already registered: ${name}`,
    );
  const holder = world.instances.findByIamArn(region, iamArn);
  if (holder === undefined) return;
  const kind = holder.iamSessionArn === null ? "User" : "Session";
  throw new AwsError(
    `Iam${kind}ArnAlreadyRegisteredException`,
    `The IAM ${kind.toLowerCase()} ARN is already registered with the on-premises instance ${holder.name}`,
  );
}
