/** Any request at all, signed by AWS's own signer: for what the service clients would never send. */
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Checksum, SourceData } from "@smithy/types";
import { REGION } from "./clients.ts";

export interface RequestToSign {
  readonly credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  readonly service: string;
  readonly path?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal?: AbortSignal;
  /** Changes the Authorization header after signing. */
  readonly forge?: (authorization: string) => string;
}

export async function sendSigned(url: string, request: RequestToSign): Promise<Response> {
  const {
    credentials,
    service,
    path = "/",
    body,
    signal,
    forge = (authorization) => authorization,
  } = request;
  const { host, hostname } = new URL(url);
  const signer = new SignatureV4({ credentials, region: REGION, service, sha256: Sha256 });
  const signed = await signer.sign({
    method: "POST",
    protocol: "http:",
    hostname,
    path,
    headers: { host, ...request.headers },
    body,
  });
  const { host: _, authorization = "", ...headers } = signed.headers;
  return fetch(url + path, {
    method: "POST",
    headers: { ...headers, authorization: forge(authorization) },
    body,
    signal: signal ?? null,
  });
}

class Sha256 implements Checksum {
  readonly #hash: Hash | Hmac;

  constructor(secret?: SourceData) {
    this.#hash =
      secret === undefined ? createHash("sha256") : createHmac("sha256", Buffer.from(secret as string));
  }

  update(data: Uint8Array | string): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error("the signer never resets a hash");
  }
}
