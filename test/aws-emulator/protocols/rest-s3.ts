/** S3's REST protocol, path-style: the bucket and the key are the path, the object is the body. */
import type { AwsError } from "../aws-error.ts";
import type { JsonObject } from "../json.ts";
import type { WireError } from "./error-codes.ts";
import { wireError } from "./error-codes.ts";
import type { Protocol } from "./protocol.ts";
import { escapeXml } from "./query.ts";

/** Where S3's codes and statuses differ from those of the query protocol. */
const OWN: Readonly<Record<string, WireError>> = {
  ExpiredToken: { code: "ExpiredToken", status: 400 },
  InvalidClientTokenId: { code: "InvalidAccessKeyId", status: 403 },
  MissingAuthenticationToken: { code: "AccessDenied", status: 403 },
  InvalidAction: { code: "MethodNotAllowed", status: 405 },
  Throttling: { code: "SlowDown", status: 503 },
  NoSuchBucket: { code: "NoSuchBucket", status: 404 },
  NoSuchKey: { code: "NoSuchKey", status: 404 },
  NoSuchVersion: { code: "NoSuchVersion", status: 404 },
};

export const s3Protocol: Protocol = {
  readParameters({ path, query }) {
    const [, bucket = "", ...key] = path.split("/").map(decodeURIComponent);
    const versionId = new URLSearchParams(query).get("versionId");
    const parameters: JsonObject = { Bucket: bucket, Key: key.join("/") };
    return versionId === null ? parameters : { ...parameters, VersionId: versionId };
  },

  encodeOutput(_action, { Body, ETag, VersionId }) {
    const headers = {
      "content-type": "binary/octet-stream",
      etag: String(ETag),
      "x-amz-version-id": String(VersionId),
    };
    return { status: 200, headers, body: String(Body) };
  },

  encodeError(error, requestId) {
    const { code, status } = codeOf(error);
    const headers = { "content-type": "application/xml", ...error.headers };
    const body =
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code>` +
      `<Message>${escapeXml(error.message)}</Message><RequestId>${requestId}</RequestId></Error>`;
    return { status, headers, body };
  },

  errorCode: (error) => codeOf(error).code,
};

function codeOf(error: AwsError): WireError {
  return OWN[error.code] ?? wireError(error.code, "query");
}
