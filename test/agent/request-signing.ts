/**
 * Signature Version 4 of one JSON 1.1 request, by the signer that AWS's SDK for JavaScript uses.
 */
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Checksum, SourceData } from "@smithy/types";
import type { HeldCredentials } from "./credential-holder.ts";

export interface JsonRequest {
  endpoint: URL;
  region: string;
  service: string;
  /** The operation with its service's prefix, as `X-Amz-Target` has it. */
  target: string;
  body: string;
}

/** The headers to send the request with, `authorization` among them. */
export async function signedHeaders(
  request: JsonRequest,
  credentials: HeldCredentials,
): Promise<Record<string, string>> {
  const { sessionToken, ...keys } = credentials;
  const signer = new SignatureV4({
    credentials: sessionToken === undefined ? keys : { ...keys, sessionToken },
    region: request.region,
    service: request.service,
    sha256: Sha256,
  });
  const signed = await signer.sign({
    method: "POST",
    protocol: request.endpoint.protocol,
    hostname: request.endpoint.hostname,
    path: request.endpoint.pathname,
    headers: {
      host: request.endpoint.host,
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": request.target,
    },
    body: request.body,
  });
  return signed.headers;
}

/** SHA-256 in the shape that the signer asks for. */
class Sha256 implements Checksum {
  readonly #secret: SourceData | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: SourceData) {
    this.#secret = secret;
    this.#hash = this.#start();
  }

  update(data: Uint8Array | string): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#start();
  }

  #start(): Hash | Hmac {
    return this.#secret === undefined ? createHash("sha256") : createHmac("sha256", bytes(this.#secret));
  }
}

function bytes(data: SourceData): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(data);
}
