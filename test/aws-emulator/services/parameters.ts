/** Typed reads from the parameters of a call, with the complaints of AWS's JSON parser. */
import { AwsError } from "../aws-error.ts";
import type { Json, JsonObject } from "../json.ts";
import { isJsonObject } from "../json.ts";
import type { Operation } from "./operation.ts";

/** Refuses parameters that the operation does not have. AWS ignores most of them; a typo should not pass here. */
export function checkKnownParameters(operation: Operation, parameters: JsonObject): void {
  for (const name of Object.keys(parameters)) {
    if (!operation.parameters.includes(name.replace(/\.member\..*$/, "")))
      throw new AwsError("ValidationError", `Unknown parameter: ${name}`);
  }
}

export function optionalString(parameters: JsonObject, name: string): string | undefined {
  const value = parameters[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw unconvertible(value, "a String");
  return value;
}

export function optionalList(parameters: JsonObject, name: string): readonly Json[] {
  const value = parameters[name];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw unconvertible(value, "a List");
  return value;
}

export function stringList(parameters: JsonObject, name: string): string[] {
  return optionalList(parameters, name).map((value) => {
    if (typeof value !== "string") throw unconvertible(value, "a String");
    return value;
  });
}

export function objectList(parameters: JsonObject, name: string): JsonObject[] {
  return optionalList(parameters, name).map((value) => {
    if (!isJsonObject(value)) throw unconvertible(value, "a Structure");
    return value;
  });
}

function unconvertible(value: Json, wanted: string): AwsError {
  return new AwsError(
    "SerializationException",
    `${(typeof value).toUpperCase()}_VALUE can not be converted to ${wanted}`,
  );
}
