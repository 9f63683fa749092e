/** What an operation of a service is to the gateway: its parameters, the right it needs, what it does. */
import type { Permission } from "../identity/authorization.ts";
import type { Principal } from "../identity/principals.ts";
import type { JsonObject } from "../json.ts";

export interface Call {
  readonly action: string;
  readonly parameters: JsonObject;
  readonly principal: Principal;
  /** From the credential scope. */
  readonly region: string;
  /** From the credential scope; the command service goes by two names. */
  readonly signingName: string;
  readonly now: Date;
  /** Aborted when the client is gone. */
  readonly clientGone: AbortSignal;
}

export interface Operation {
  /** Parameters that exist; any other is refused. A query list is named without its `.member.N` ending. */
  readonly parameters: readonly string[];
  /** The rights that the caller needs, all of them; none where the operation itself decides. */
  permissions(call: Call): readonly Permission[];
  run(call: Call): JsonObject | Promise<JsonObject>;
}

export type Operations = Readonly<Record<string, Operation>>;
