/**
 * AddTagsToOnPremisesInstances and RemoveTagsFromOnPremisesInstances, and the tag filters of a list. Assumed,
 * for lack of a source: adding a key again replaces its value, and an instance passes a list's filters when it
 * passes any of them, as with the tag filters of a deployment group.
 */
import { AwsError } from "../../aws-error.ts";
import type { JsonObject } from "../../json.ts";
import type { World } from "../../world.ts";
import type { Call, Operation } from "../operation.ts";
import { objectList, optionalString } from "../parameters.ts";
import type { InstanceTag, OnPremisesInstance } from "./instance-registry.ts";
import { readInstanceNames } from "./naming.ts";
import { instancePermissions } from "./permission.ts";

/** FACTS, AWS. */
const MAX_TAGS = 10;
const MAX_KEY_LENGTH = 128;
const MAX_VALUE_LENGTH = 256;

export function addTagsOperation(world: World): Operation {
  return tagOperation(world, (current, added) => {
    const kept = current.filter(({ Key }) => !added.some((tag) => tag.Key === Key));
    const tags = [...kept, ...added];
    if (tags.length > MAX_TAGS)
      throw new AwsError("TagLimitExceededException", `The maximum number of tags is ${MAX_TAGS}`);
    return tags;
  });
}

export function removeTagsOperation(world: World): Operation {
  return tagOperation(world, (current, removed) =>
    current.filter(({ Key, Value }) => !removed.some((tag) => tag.Key === Key && tag.Value === Value)),
  );
}

type TagChange = (current: readonly InstanceTag[], given: readonly InstanceTag[]) => readonly InstanceTag[];

/** All instances are changed or none. */
function tagOperation(world: World, change: TagChange): Operation {
  return {
    parameters: ["tags", "instanceNames"],
    permissions: (call) => instancePermissions(world, call),
    run(call) {
      const given = readTags(call.parameters);
      const changed = registeredInstances(world, call).map((instance) => ({
        ...instance,
        tags: change(instance.tags, given),
      }));
      for (const instance of changed) world.instances.put(instance);
      return {};
    },
  };
}

function registeredInstances(world: World, call: Call): OnPremisesInstance[] {
  return readInstanceNames(call.parameters, "InstanceLimitExceededException").map((name) => {
    const instance = world.instances.findRegistered(call.region, name);
    if (instance === undefined)
      throw new AwsError(
        "InstanceNotRegisteredException",
        `The specified on-premises instance is not registered: ${name}`,
      );
    return instance;
  });
}

function readTags(parameters: JsonObject): InstanceTag[] {
  const tags = objectList(parameters, "tags").map((tag) => {
    const Key = optionalString(tag, "Key") ?? "";
    const Value = optionalString(tag, "Value") ?? "";
    if (Key === "" || Key.length > MAX_KEY_LENGTH || Value.length > MAX_VALUE_LENGTH)
      throw new AwsError("InvalidTagException", `The tag is in an invalid format: ${Key}`);
    return { Key, Value };
  });
  if (tags.length === 0) throw new AwsError("TagRequiredException", "A tag was not specified");
  if (tags.length > MAX_TAGS)
    throw new AwsError("TagLimitExceededException", `The maximum number of tags is ${MAX_TAGS}`);
  if (new Set(tags.map(({ Key }) => Key)).size < tags.length)
    throw new AwsError("InvalidTagException", "A tag key was specified more than once");
  return tags;
}

export function readTagFilters(parameters: JsonObject): (tags: readonly InstanceTag[]) => boolean {
  const filters = objectList(parameters, "tagFilters").map((filter) => {
    const key = optionalString(filter, "Key");
    const value = optionalString(filter, "Value");
    const type = optionalString(filter, "Type") ?? "KEY_AND_VALUE";
    if (!["KEY_ONLY", "VALUE_ONLY", "KEY_AND_VALUE"].includes(type))
      throw new AwsError("InvalidTagFilterException", `Invalid tag filter type: ${type}`);
    return (tag: InstanceTag): boolean =>
      (type === "VALUE_ONLY" || tag.Key === key) && (type === "KEY_ONLY" || tag.Value === value);
  });
  return (tags) => filters.length === 0 || filters.some((passes) => tags.some(passes));
}
