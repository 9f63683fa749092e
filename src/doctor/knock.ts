/**
 * One unsigned request to a host of AWS, the way our own calls go: proxy, CAs and time limits included. Any answer will
 * do, an error included; what counts is that it came, over which certificate, and at what time of the other side.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { TLSSocket } from "node:tls";
import type { Agents } from "../aws/network.ts";

export interface Arrival {
  /** Who signed the other side's certificate; null without TLS. */
  issuer: string | null;
  /** The server's clock minus ours, in milliseconds; null when it did not tell. */
  skewMs: number | null;
}

/** @throws the error of Node's request */
export function knock(url: string, agents: Agents, limitMs: number): Promise<Arrival> {
  return new Promise((resolve, reject) => {
    const outgoing = send(url, agents, limitMs, true, (answer) => {
      const date = Date.parse(answer.headers.date ?? "");
      resolve({ issuer: issuerOf(answer.socket), skewMs: Number.isNaN(date) ? null : date - Date.now() });
      answer.destroy();
    });
    outgoing.on("error", reject);
  });
}

/**
 * Who signed a certificate that was not accepted, so that an inspecting proxy can be named. Nothing of ours is sent but
 * an empty request, and nothing of the answer is used.
 *
 * @returns null where it cannot be seen
 */
export function issuerOfRefused(url: string, agents: Agents, limitMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const outgoing = send(url, agents, limitMs, false, (answer) => {
      resolve(issuerOf(answer.socket));
      answer.destroy();
    });
    outgoing.on("error", () => resolve(null));
  });
}

function send(
  url: string,
  agents: Agents,
  limitMs: number,
  isVerified: boolean,
  onAnswer: (answer: IncomingMessage) => void,
): ClientRequest {
  const isTls = url.startsWith("https:");
  const options = {
    method: "GET",
    headers: { "user-agent": "idc-codedeploy-helper doctor" },
    signal: AbortSignal.timeout(limitMs),
  };
  const outgoing = isTls
    ? httpsRequest(url, { ...options, agent: agents.https, rejectUnauthorized: isVerified }, onAnswer)
    : httpRequest(url, { ...options, agent: agents.http }, onAnswer);
  return outgoing.end();
}

/** The organization, and the name of the very CA, as far as they are given. */
function issuerOf(socket: unknown): string | null {
  if (!(socket instanceof TLSSocket)) return null;
  const issuer = socket.getPeerCertificate()?.issuer;
  if (issuer === undefined) return null;
  const names = [issuer.CN, issuer.O].flat().filter((name) => typeof name === "string" && name !== "");
  return names.length === 0 ? null : names.join(", ").replace(/[^\x20-\x7e]/g, "?");
}
