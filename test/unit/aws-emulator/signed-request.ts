/** Any request at all, signed by AWS's own signer: for what the service clients would never send. */
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Checksum, SourceData } from "@smithy/types";
import { REGION } from "./clients.ts";

export interface RequestToSign {
  readonly credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  readonly service: string;
  /** POST unless said otherwise. */
  readonly method?: "GET" | "HEAD" | "POST";
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** Changes the Authorization header after signing. */
  readonly forge?: (authorization: string) => string;
}

export async function sendSigned(url: string, request: RequestToSign): Promise<Response> {
  const {
    credentials,
    service,
    method = "POST",
    path = "/",
    query = {},
    body,
    signal,
    forge = (authorization) => authorization,
  } = request;
  const { host, hostname } = new URL(url);
  // S3 alone signs the path as it is sent.
  const uriEscapePath = service !== "s3";
  const signer = new SignatureV4({ credentials, region: REGION, service, sha256: Sha256, uriEscapePath });
  const signed = await signer.sign({
    method,
    protocol: "http:",
    hostname,
    path,
    query,
    headers: { host, ...request.headers },
    body,
  });
  const { host: _, authorization = "", ...headers } = signed.headers;
  const search = new URLSearchParams(query).toString();
  return fetch(url + path + (search === "" ? "" : `?${search}`), {
    method,
    headers: { ...headers, authorization: forge(authorization) },
    body: body ?? null,
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
