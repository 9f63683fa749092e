/** What every client of an AWS service is made of here: no retries, our own network, one endpoint and one caller. */
import type { AwsCredentialIdentity } from "@aws-sdk/types";
import type { Config } from "../config/config.ts";
import { isSafeEndpoint } from "../config/endpoint.ts";
import { Failure } from "../failure.ts";
import { VERSION } from "../version.ts";
import type { Network } from "./network.ts";
import { refuseEndlessFiles } from "./shared-files.ts";
import type { CallContext, Caller } from "./verdicts.ts";

export type Service = "sts" | "codedeploy";

/** Who calls, and how they get there. */
export interface Connection {
  region: string;
  identity: AwsCredentialIdentity;
  caller: Caller;
  network: Network;
  /** Null for the region's own. */
  endpoint: string | null;
}

/** @throws Failure for files of the SDK that no client must come upon: it looks into them for what is not given here */
export function clientOptions({ region, identity, caller, network, endpoint }: Connection) {
  refuseEndlessFiles(caller.identity === "operator" ? "operator" : "base");
  return {
    region,
    credentials: identity,
    // One loop retries, not two (DESIGN).
    maxAttempts: 1,
    requestHandler: network.requestHandler,
    customUserAgent: [["idc-codedeploy-helper", VERSION]] as [string, string][],
    // All that the SDK would else look for in the environment and in ~/.aws/config: a stray one of the calling user
    // cannot change where we call, nor how, and a refresh need not read it.
    ignoreConfiguredEndpointUrls: true,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    defaultsMode: "standard" as const,
    retryMode: "standard",
    authSchemePreference: [],
    sigv4aSigningRegionSet: [],
    userAgentAppId: async () => undefined,
    ...(endpoint === null ? {} : { endpoint }),
  };
}

/** The server's clock minus ours in milliseconds, as the last answer told it; null where it did not. */
export function skewOf({ requestHandler: { serverTimeMs } }: Network): number | null {
  return serverTimeMs === null ? null : serverTimeMs - Date.now();
}

/** As AWS documents it (IAM, AccessKey). */
const KEY_ID = /^[A-Z0-9]{16,128}$/;

export function callContext(
  service: Service,
  { region, caller, network, endpoint, identity }: Connection,
  call: Pick<CallContext, "action" | "resource">,
): CallContext {
  const host = endpoint === null ? regionalHost(service, region) : new URL(endpoint).host;
  const { accessKeyId, secretAccessKey, sessionToken = "" } = identity;
  // Copied the wrong way round, the secret stands where the id belongs, and AWS quotes that.
  const secrets = [secretAccessKey, sessionToken, KEY_ID.test(accessKeyId) ? "" : accessKeyId];
  return { ...call, caller, where: `${host}${network.route}`, skewMs: skewOf(network), secrets };
}

/** The name that a service goes by in a region; the SDK works out the same for the calls themselves. */
export function regionalHost(service: string, region: string): string {
  return `${service}.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}

const ENDPOINT_VARIABLES: Record<Service, string> = {
  sts: "AWS_ENDPOINT_URL_STS",
  codedeploy: "AWS_ENDPOINT_URL_CODEDEPLOY",
};

/**
 * The endpoint to call: the config's, else the SDK's own environment variable, else null for the region's.
 *
 * @throws Failure `config` for one in the environment that would carry credentials in the clear
 */
export function serviceEndpoint(service: Service, config: Config, env: NodeJS.ProcessEnv): string | null {
  const configured = config.endpoints[service];
  if (configured !== null) return configured;
  // The SDK would follow either by itself, but not ask whether it is safe.
  const variable = ENDPOINT_VARIABLES[service];
  const given = env[variable] || env.AWS_ENDPOINT_URL;
  if (!given) return null;
  if (isSafeEndpoint(given)) return given;
  throw new Failure({
    kind: "config",
    message: `${variable} (or AWS_ENDPOINT_URL) is neither an https:// URL nor an http:// one of a loopback address`,
    nextStep: "Correct or unset it: session credentials travel in the answer.",
  });
}
