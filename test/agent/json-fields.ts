/** Fields of JSON that came over the network: looked at before they are used. */
export type Json = Record<string, unknown>;

export function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function parseRecord(text: string): Json {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new Error("expected a JSON object");
  return value;
}

export function requiredString(fields: Json, key: string): string {
  const value = fields[key];
  if (typeof value !== "string" || value === "") throw new Error(`${key} missing`);
  return value;
}
