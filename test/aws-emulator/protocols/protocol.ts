/** What the gateway needs of a wire protocol, whichever it is, and the answers that it makes. */
import type { AwsError } from "../aws-error.ts";
import type { ReceivedRequest } from "../http/received.ts";
import type { JsonObject } from "../json.ts";

/** A complete HTTP answer, before it is decided how (or how badly) it is delivered. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Protocol {
  /** The parameters sent, without those that name action and version; throws AwsError where they are malformed. */
  readParameters(request: ReceivedRequest): JsonObject;
  encodeOutput(action: string, output: JsonObject, requestId: string): Answer;
  encodeError(error: AwsError, requestId: string): Answer;
  /** The error's name as it stands on the wire. */
  errorCode(error: AwsError): string;
}
