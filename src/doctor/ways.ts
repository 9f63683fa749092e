/** The way to one host of AWS: how far one gets on it, and what stands in it. */
import { isIP } from "node:net";
import { classifyAwsError } from "../aws/failure.ts";
import type { Agents } from "../aws/network.ts";
import type { Failure } from "../failure.ts";
import { type Arrival, issuerOfRefused, knock } from "./knock.ts";
import { addressesOf } from "./names.ts";
import type { Place } from "./places.ts";

export type Way =
  | { kind: "open"; place: Place; arrival: Arrival; proxy: string | null }
  | { kind: "no_name"; place: Place; name: string; isProxy: boolean }
  | { kind: "closed"; place: Place; failure: Failure; issuer: string | null };

/** @param limitMs for the whole of a request, in milliseconds */
export async function findWay(place: Place, agents: Agents, limitMs: number): Promise<Way> {
  const { proxy } = agents;
  // A name that does not resolve is not even tried: a resolver that hangs would hold up everything else. Behind a
  // proxy it is the proxy that resolves the others.
  const name = new URL(proxy ?? place.url).hostname.replace(/^\[|\]$/g, "");
  if (isIP(name) === 0 && (await addressesOf(name)) === null)
    return { kind: "no_name", place, name, isProxy: proxy !== null };
  try {
    return { kind: "open", place, arrival: await knock(place.url, agents, limitMs), proxy };
  } catch (error) {
    const failure = classify(
      error,
      `${new URL(place.url).host}${proxy === null ? "" : ` through the proxy ${proxy}`}`,
    );
    const issuer = failure.kind === "tls" ? await issuerOfRefused(place.url, agents, limitMs) : null;
    return { kind: "closed", place, failure, issuer };
  }
}

/** Nothing was signed, so whose credentials it would have been does not matter. */
function classify(error: unknown, where: string): Failure {
  const caller = { identity: "base", source: "none" } as const;
  return classifyAwsError(error, {
    action: "a first request",
    where,
    caller,
    resource: where,
    skewMs: null,
  });
}
