/** The AWS Query protocol as STS speaks it: form fields in, XML out. */
import { AwsError } from "../aws-error.ts";
import type { ReceivedRequest } from "../http/received.ts";
import { header } from "../http/received.ts";
import type { Json, JsonObject } from "../json.ts";
import { isJsonObject } from "../json.ts";
import { wireError } from "./error-codes.ts";
import type { Answer, Protocol } from "./protocol.ts";

export const STS_VERSION = "2011-06-15";
const NAMESPACE = `https://sts.amazonaws.com/doc/${STS_VERSION}/`;

export function readForm(request: ReceivedRequest): URLSearchParams {
  return new URLSearchParams(request.method === "GET" ? request.query : request.body.toString("utf8"));
}

export const queryProtocol: Protocol = {
  readParameters(request) {
    const contentType = header(request, "content-type") ?? "";
    if (request.method === "POST" && !contentType.startsWith("application/x-www-form-urlencoded"))
      throw new AwsError("InvalidQueryParameter", `Unsupported Content-Type: ${contentType}`);
    const form = readForm(request);
    if (form.get("Version") !== STS_VERSION)
      throw new AwsError("InvalidAction", `Could not find version ${form.get("Version") ?? ""}`);
    const parameters: Record<string, Json> = {};
    for (const [name, value] of form) {
      if (name in parameters) throw new AwsError("InvalidQueryParameter", `Duplicate parameter: ${name}`);
      if (name !== "Action" && name !== "Version") parameters[name] = value;
    }
    return parameters;
  },

  encodeOutput(action, output, requestId) {
    return xml(
      200,
      `<${action}Response xmlns="${NAMESPACE}">\n` +
        `  <${action}Result>\n${renderMembers(output, "    ")}  </${action}Result>\n` +
        `  <ResponseMetadata>\n    <RequestId>${requestId}</RequestId>\n  </ResponseMetadata>\n` +
        `</${action}Response>\n`,
    );
  },

  encodeError(error, requestId) {
    const { code, status } = wireError(error.code, "query");
    const type = status >= 500 ? "Receiver" : "Sender";
    const answer = xml(
      status,
      `<ErrorResponse xmlns="${NAMESPACE}">\n  <Error>\n    <Type>${type}</Type>\n` +
        `    <Code>${code}</Code>\n    <Message>${escapeXml(error.message)}</Message>\n  </Error>\n` +
        `  <RequestId>${requestId}</RequestId>\n</ErrorResponse>\n`,
    );
    return { ...answer, headers: { ...answer.headers, ...error.headers } };
  },

  errorCode: (error) => wireError(error.code, "query").code,
};

function xml(status: number, body: string): Answer {
  return { status, headers: { "content-type": "text/xml" }, body };
}

function renderMembers(members: JsonObject, indent: string): string {
  return Object.entries(members)
    .map(([name, value]) => {
      if (!isJsonObject(value)) return `${indent}<${name}>${escapeXml(String(value))}</${name}>\n`;
      return `${indent}<${name}>\n${renderMembers(value, `${indent}  `)}${indent}</${name}>\n`;
    })
    .join("");
}

export function escapeXml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
