/** Answers that are well-formed and wrong: what a client must check before it trusts them. */
import type { Json, JsonObject } from "../json.ts";
import { isJsonObject } from "../json.ts";
import type { Fault, LyingKind } from "./fault.ts";

export function lie(fault: Fault & { kind: LyingKind }, output: JsonObject, now: Date): JsonObject {
  switch (fault.kind) {
    case "missing-field":
      return change(output, fault.field, () => undefined);
    case "wrong-session-arn":
      return change(output, "Arn", (arn) => `${String(arn).replace(/[^/]+$/, "")}someone-else`);
    case "expired-answer":
      return change(output, "Expiration", () => new Date(now.getTime() - 3_600_000).toISOString());
    case "bad-date":
      return change(output, "Expiration", () => "the day after tomorrow");
    case "newline-in-token":
      return change(
        output,
        "SessionToken",
        (token) => `${String(token)}\n[default]\naws_access_key_id = EVIL`,
      );
    case "ini-syntax-in-token":
      return change(output, "SessionToken", (token) => `${String(token)} ; "quoted" # comment`);
  }
}

/** The same tree with the named member changed wherever it occurs; undefined leaves it out. */
function change(tree: JsonObject, name: string, to: (value: Json) => Json | undefined): JsonObject {
  const members = Object.entries(tree).flatMap(([member, value]): [string, Json][] => {
    if (member !== name) return [[member, isJsonObject(value) ? change(value, name, to) : value]];
    const changed = to(value);
    return changed === undefined ? [] : [[member, changed]];
  });
  return Object.fromEntries(members);
}
