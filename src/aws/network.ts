/**
 * How we reach AWS: proxy, certificate authorities, time limits, and a bound on what an answer may weigh.
 *
 * The SDK follows no redirect and verifies certificates; no key, flag or environment turns either off.
 */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { getCACertificates } from "node:tls";
import type { HttpHandlerOptions } from "@aws-sdk/types";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { Config } from "../config/config.ts";
import { HOST_CA_BUNDLES } from "../config/paths.ts";
import { errorCode, errorText, Failure } from "../failure.ts";
import { readText, readTextIfPresent } from "../host/read-file.ts";
import { scaledLimit } from "../host/service-environment.ts";
import { holdTlsFloor } from "./tls-floor.ts";
import { withoutTwins } from "./trust-list.ts";

/** An AssumeRole answer has 2 to 6 kB; something that sends much more is not STS. */
const MAX_ANSWER_BYTES = 256 * 1_024;
const MAX_BUNDLE_BYTES = 16 * 1_024 * 1_024;

export interface Network {
  requestHandler: BoundedHandler;
  /** For what is no call of an AWS service: downloads. */
  httpsAgent: HttpsAgent;
  /** For messages: `through the proxy …`, or empty. */
  route: string;
}

export async function openNetwork(config: Config, factor: number, env: NodeJS.ProcessEnv): Promise<Network> {
  const { network } = config;
  const { http, https, proxy } = await openAgents(config, env);
  const handler = new NodeHttpHandler({
    connectionTimeout: scaledLimit(network.connectTimeoutMs, factor),
    httpAgent: http,
    httpsAgent: https,
  });
  return {
    requestHandler: new BoundedHandler(handler, scaledLimit(network.requestTimeoutMs, factor)),
    httpsAgent: https,
    route: proxy === null ? "" : ` through the proxy ${proxy}`,
  };
}

export interface Agents {
  http: HttpAgent;
  https: HttpsAgent;
  /** For messages, without its password; null where AWS is called directly. */
  proxy: string | null;
}

/** @throws Failure `config` for a proxy or a CA bundle that cannot be used */
export async function openAgents({ network }: Config, env: NodeJS.ProcessEnv): Promise<Agents> {
  const proxyEnv = proxyEnvironment(network.proxy, env);
  refuseUnusable(proxyEnv);
  holdTlsFloor();
  const proxy = proxyEnv.HTTPS_PROXY;
  return {
    // One call, one process: a connection kept open would only hold the exit up.
    http: new HttpAgent({ proxyEnv }),
    https: new HttpsAgent({ proxyEnv, ca: await certificateAuthorities(network.caBundle) }),
    proxy: proxy ? withoutPassword(proxy) : null,
  };
}

/** The config's proxy wins over the environment's; NO_PROXY counts for both. */
function proxyEnvironment(configured: string | null, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const variable = (name: string) => env[name.toLowerCase()] || env[name];
  const given = {
    HTTP_PROXY: configured ?? variable("HTTP_PROXY"),
    HTTPS_PROXY: configured ?? variable("HTTPS_PROXY"),
    NO_PROXY: variable("NO_PROXY"),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value));
}

/**
 * Node throws for some of these, with the password in its text, and quietly calls AWS directly for others.
 *
 * @throws Failure `config`, which does not repeat the value
 */
function refuseUnusable(proxyEnv: NodeJS.ProcessEnv): void {
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY"]) {
    const value = proxyEnv[name];
    if (value === undefined || isUsable(value)) continue;
    throw new Failure({
      kind: "config",
      message: `${name} in the environment is not a proxy that can be used: neither http:// nor https://, or not a valid URL`,
      nextStep: `Set it to something like http://proxy.example:3128 (a password in it percent-encoded), or unset it.`,
    });
  }
}

function isUsable(proxy: string): boolean {
  const url = URL.parse(proxy);
  if (!url || !/^https?:$/.test(url.protocol)) return false;
  try {
    decodeURIComponent(`${url.username} ${url.password}`);
    return true;
  } catch {
    return false;
  }
}

function withoutPassword(proxy: string): string {
  const url = URL.parse(proxy);
  return url ? `${url.protocol}//${url.host}` : "of the environment";
}

/** Node's own list, the host's store (so that `update-ca-trust` is enough), and the configured bundle. */
async function certificateAuthorities(bundle: string | null): Promise<string[]> {
  const more: string[] = [];
  for (const path of HOST_CA_BUNDLES) {
    const host = await readTextIfPresent(path, { maxBytes: MAX_BUNDLE_BYTES, followLink: true }).catch(
      () => null,
    );
    if (host !== null) {
      more.push(host);
      break;
    }
  }
  if (bundle !== null) more.push(await readBundle(bundle));
  return [...withoutTwins(getCACertificates("default"), more), ...more];
}

async function readBundle(path: string): Promise<string> {
  const wrong = (what: string) =>
    new Failure({
      kind: "config",
      message: `network.ca_bundle ${path} ${what}`,
      nextStep: "Name a readable file of CA certificates in PEM form, or set network.ca_bundle to null.",
    });
  let text: string;
  try {
    text = await readText(path, { maxBytes: MAX_BUNDLE_BYTES, followLink: true });
  } catch (error) {
    throw wrong(`cannot be read: ${errorCode(error) ?? errorText(error)}`);
  }
  if (!text.includes("-----BEGIN CERTIFICATE-----")) throw wrong("holds no certificate in PEM form");
  return text;
}

type Request = Parameters<NodeHttpHandler["handle"]>[0];
type Answer = Awaited<ReturnType<NodeHttpHandler["handle"]>>;

export class AnswerTooLargeError extends Error {
  override readonly name = "AnswerTooLargeError";
}

/**
 * Reads the whole answer, within one time limit for everything and up to a bound, before the SDK parses it. The
 * SDK's own request timeout ends with the headers, so a server that stops in the middle would hold us for ever.
 */
export class BoundedHandler {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #handler: NodeHttpHandler;
  readonly #limitMs: number;
  /** The server's own clock as its last answer gave it, in milliseconds since the epoch; null without one. */
  serverTimeMs: number | null = null;

  constructor(handler: NodeHttpHandler, limitMs: number) {
    this.#handler = handler;
    this.#limitMs = limitMs;
  }

  async handle(request: Request, options: HttpHandlerOptions = {}): Promise<Answer> {
    const abort = new AbortController();
    let body: NodeJS.ReadableStream & { destroy(error?: Error): void };
    const timer = setTimeout(() => {
      abort.abort();
      body?.destroy(Object.assign(new Error("the answer did not end in time"), { name: "TimeoutError" }));
    }, this.#limitMs);
    try {
      const { response } = await this.#handler.handle(request, { ...options, abortSignal: abort.signal });
      body = response.body;
      const date = Date.parse(response.headers.date ?? "");
      this.serverTimeMs = Number.isNaN(date) ? null : date;
      response.body = await collect(body);
      return { response };
    } finally {
      clearTimeout(timer);
    }
  }

  destroy(): void {
    this.#handler.destroy();
  }
}

async function collect(body: NodeJS.ReadableStream): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    length += bytes.length;
    if (length > MAX_ANSWER_BYTES) throw new AnswerTooLargeError(`more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
