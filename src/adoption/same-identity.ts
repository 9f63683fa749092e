/** Is it the same identity? AssumeRole must give exactly the session that the agent is configured for. */
import type { AwsCredentialIdentity } from "@aws-sdk/types";
import { serviceEndpoint } from "../aws/client.ts";
import type { Network } from "../aws/network.ts";
import { type AssumedRole, assumeRole } from "../aws/sts.ts";
import type { Config } from "../config/config.ts";
import { Failure } from "../failure.ts";
import type { BaseCandidate } from "./old-base.ts";

/** The shortest that STS gives: these credentials are used for nothing. */
const PROBE_MS = 900_000;

export interface Proof {
  candidate: BaseCandidate;
  role: AssumedRole;
}

/**
 * Tries the candidates one after the other.
 *
 * @param config says which role and session
 * @throws Failure of the one that came furthest: `denied` says more than a key that AWS does not know
 */
export async function proveIdentity(
  candidates: readonly BaseCandidate[],
  config: Config,
  network: Network,
  env: NodeJS.ProcessEnv,
): Promise<Proof> {
  const failures: Failure[] = [];
  for (const candidate of candidates) {
    try {
      return { candidate, role: await tryOne(candidate.identity, candidate.source, config, network, env) };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push(error);
      const isOfTheKey = error.kind === "denied" || error.kind.startsWith("base_credentials");
      if (!isOfTheKey) throw error;
    }
  }
  const [first] = failures;
  const failure = failures.find(({ kind }) => kind === "denied") ?? first;
  throw failure ?? new Error("there was no candidate");
}

function tryOne(
  identity: AwsCredentialIdentity,
  source: string,
  config: Config,
  network: Network,
  env: NodeJS.ProcessEnv,
): Promise<AssumedRole> {
  const endpoint = serviceEndpoint("sts", config, env);
  return assumeRole({ config, base: { identity, source }, network, durationMs: PROBE_MS, endpoint });
}
