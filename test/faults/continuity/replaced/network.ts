/** src/aws/network.ts without a network: what it hands on is only the server's clock and our limits. */
import type { Config } from "../../../../src/config/config.ts";

export class AnswerTooLargeError extends Error {}

export interface VirtualNetwork {
  requestHandler: { serverTimeMs: number | null; limitMs: number };
  route: string;
}

export async function openNetwork({ network }: Config): Promise<VirtualNetwork> {
  return { requestHandler: { serverTimeMs: null, limitMs: network.requestTimeoutMs }, route: "" };
}
