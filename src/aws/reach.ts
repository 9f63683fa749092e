/** Whether an AWS host answers from here, the way our calls go: proxy, CAs and time limits included. */
import { HttpRequest } from "@smithy/core/protocols";
import type { Failure } from "../failure.ts";
import { classifyAwsError } from "./failure.ts";
import type { Network } from "./network.ts";
import type { CallContext } from "./verdicts.ts";

export interface Reached {
  /** The server's clock minus ours, in milliseconds; null when it did not tell. */
  skewMs: number | null;
}

/**
 * Any answer of the other side will do, an error included: nothing is signed, and nothing is asked for.
 *
 * @throws Failure `unreachable`, `timeout` or `tls`, which names the host and the proxy
 */
export async function reach(url: string, network: Network): Promise<Reached> {
  const { protocol, hostname, port, host } = new URL(url);
  const request = new HttpRequest({
    protocol,
    hostname,
    ...(port === "" ? {} : { port: Number(port) }),
    method: "GET",
    path: "/",
    headers: { host, "user-agent": "idc-codedeploy-helper" },
  });
  try {
    const { response } = await network.requestHandler.handle(request);
    const date = Date.parse(response.headers.date ?? "");
    return { skewMs: Number.isNaN(date) ? null : date - Date.now() };
  } catch (error) {
    throw classifyReach(error, `${host}${network.route}`);
  }
}

function classifyReach(error: unknown, where: string): Failure {
  const context: CallContext = {
    action: "a first request",
    where,
    caller: { identity: "base", source: "none" },
    resource: where,
    skewMs: null,
  };
  return classifyAwsError(error, context);
}
