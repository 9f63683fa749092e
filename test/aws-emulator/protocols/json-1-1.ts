/** The AWS JSON 1.1 protocol of CodeDeploy and of its command service. */
import { AwsError } from "../aws-error.ts";
import { header } from "../http/received.ts";
import type { Json } from "../json.ts";
import { isJsonObject } from "../json.ts";
import { wireError } from "./error-codes.ts";
import type { Protocol } from "./protocol.ts";

const CONTENT_TYPE = "application/x-amz-json-1.1";

export const jsonProtocol: Protocol = {
  readParameters(request) {
    if (header(request, "content-type") !== CONTENT_TYPE) throw new AwsError("InvalidAction");
    let parsed: Json;
    try {
      parsed = JSON.parse(request.body.toString("utf8") || "{}") as Json;
    } catch {
      throw new AwsError("SerializationException", "Could not parse the request body as JSON");
    }
    if (!isJsonObject(parsed)) throw new AwsError("SerializationException", "Start of structure expected");
    return parsed;
  },

  encodeOutput(_action, output) {
    return { status: 200, headers: { "content-type": CONTENT_TYPE }, body: JSON.stringify(output) };
  },

  // Without a message the body is the type alone, as AWS's own refusal of a poll is (agent issue 374).
  encodeError(error) {
    const { code, status } = wireError(error.code, "json");
    const body = error.message === "" ? { __type: code } : { __type: code, message: error.message };
    const headers = { "content-type": CONTENT_TYPE, ...error.headers };
    return { status, headers, body: JSON.stringify(body) };
  },

  errorCode: (error) => wireError(error.code, "json").code,
};
