/** GetObject and HeadObject: what the agent does to fetch a revision. */
import { createHash } from "node:crypto";
import { AwsError } from "../../aws-error.ts";
import { accessDenied, isAllowed } from "../../identity/authorization.ts";
import type { World } from "../../world.ts";
import type { Call, Operation, Operations } from "../operation.ts";
import { optionalString } from "../parameters.ts";
import type { StoredObject } from "./buckets.ts";

export function s3Operations(world: World): Operations {
  return { GetObject: readOperation(world), HeadObject: readOperation(world) };
}

/** A HEAD request is authorized as the GET that it stands for. */
function readOperation(world: World): Operation {
  return {
    parameters: ["Bucket", "Key", "VersionId"],
    permissions: ({ parameters }) => {
      const { bucket, key } = names(parameters);
      const action = parameters.VersionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion";
      return [{ action, resource: `arn:aws:s3:::${bucket}/${key}` }];
    },
    run(call) {
      const { key, text, versionId } = findObject(world, call);
      const etag = `"${createHash("md5").update(text).digest("hex")}"`;
      return { Key: key, Body: text, VersionId: versionId, ETag: etag };
    },
  };
}

function findObject(world: World, { parameters, principal }: Call): StoredObject {
  const { bucket: name, key } = names(parameters);
  const bucket = world.buckets.find(name);
  if (bucket === undefined) throw new AwsError("NoSuchBucket", "The specified bucket does not exist");
  const found = bucket.objects.find((object) => object.key === key);
  if (found === undefined) {
    // Whoever may not list the bucket is not told what is in it.
    const listing = { action: "s3:ListBucket", resource: `arn:aws:s3:::${name}` };
    if (!isAllowed(world.directory, principal, listing)) throw accessDenied(principal, listing);
    throw new AwsError("NoSuchKey", "The specified key does not exist.");
  }
  const version = optionalString(parameters, "VersionId");
  if (version !== undefined && version !== found.versionId)
    throw new AwsError("NoSuchVersion", "The specified version does not exist.");
  return found;
}

function names(parameters: Call["parameters"]): { bucket: string; key: string } {
  return {
    bucket: optionalString(parameters, "Bucket") ?? "",
    key: optionalString(parameters, "Key") ?? "",
  };
}
