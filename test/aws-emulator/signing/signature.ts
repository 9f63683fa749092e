/**
 * Signature Version 4, computed from AWS's description alone ("Create a signed AWS API request" in the IAM
 * user guide), so that it does not share a mistake with the SDKs it checks.
 */
import { createHash, createHmac } from "node:crypto";
import type { ReceivedRequest, RequestHeaders } from "../http/received.ts";
import type { SignatureClaim } from "./authorization-header.ts";

/** The signature that the holder of the secret would have put on this request. */
export function computeSignature(
  request: ReceivedRequest,
  claim: SignatureClaim,
  secretAccessKey: string,
): string {
  const { date, region, service, terminator } = claim.scope;
  const stringToSign = [
    "AWS4-HMAC-SHA256",
    claim.timestamp,
    `${date}/${region}/${service}/${terminator}`,
    sha256(canonicalRequest(request, claim)),
  ].join("\n");
  const signingKey = [date, region, service, terminator].reduce<Buffer>(
    (key, part) => hmac(key, part),
    Buffer.from(`AWS4${secretAccessKey}`),
  );
  return hmac(signingKey, stringToSign).toString("hex");
}

function canonicalRequest(request: ReceivedRequest, { signedHeaders, scope }: SignatureClaim): string {
  return [
    request.method,
    scope.service === "s3" ? request.path : canonicalPath(request.path),
    canonicalQuery(request.query),
    ...signedHeaders.map((name) => `${name}:${canonicalValue(request.headers, name)}`),
    "",
    signedHeaders.join(";"),
    // Of what came, whatever X-Amz-Content-Sha256 says of it.
    sha256(request.body),
  ].join("\n");
}

/** Each segment of the path as sent, encoded once more: every service but S3 signs it so. */
function canonicalPath(path: string): string {
  return path.split("/").map(encode).join("/");
}

function canonicalQuery(query: string): string {
  if (query === "") return "";
  const pairs = query.split("&").map((pair): [string, string] => {
    const [name = "", ...value] = pair.split("=");
    return [encode(decodeURIComponent(name)), encode(decodeURIComponent(value.join("=")))];
  });
  const byCodePoint = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
  pairs.sort(([n1, v1], [n2, v2]) => byCodePoint(n1, n2) || byCodePoint(v1, v2));
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

function canonicalValue(headers: RequestHeaders, name: string): string {
  const values = headers.get(name) ?? [];
  return values.map((value) => value.trim().replace(/ +/g, " ")).join(",");
}

/** RFC 3986: everything but the unreserved characters; `encodeURIComponent` leaves five more alone. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Buffer, data: string): Buffer {
  return createHmac("sha256", key).update(data).digest();
}
