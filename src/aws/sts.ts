/** AssumeRole, once: no retry in here, because one loop retries and only one (DESIGN). */
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { Config } from "../config/config.ts";
import { isSafeEndpoint } from "../config/endpoint.ts";
import { checkAnswer, type IssuedSession } from "../credentials/session.ts";
import { Failure } from "../failure.ts";
import { VERSION } from "../version.ts";
import { sessionArn } from "./arn.ts";
import type { BaseCredentials } from "./base-credentials.ts";
import { type CallContext, classifyAwsError } from "./failure.ts";
import type { Network } from "./network.ts";

/** Every role allows this much, and a role assumed by a role gets no more (FACTS). */
export const DURATION_EVERY_ROLE_ALLOWS_MS = 3_600_000;

/** SigV4 refuses more; a Date header further off than this was not written by AWS. */
const LARGEST_SKEW_MS = 5 * 60_000;

export interface AssumeRoleRequest {
  config: Config;
  base: BaseCredentials;
  network: Network;
  durationMs: number;
  endpoint: string | null;
}

export interface AssumedRole {
  session: IssuedSession;
  /** How long the session lasts from now, by the server's clock, in milliseconds. */
  lifetimeMs: number;
  /** The server's clock minus ours, in milliseconds; null when it is not known. */
  skewMs: number | null;
}

/** @throws Failure */
export async function assumeRole(request: AssumeRoleRequest): Promise<AssumedRole> {
  const { config, base, network, durationMs, endpoint } = request;
  const client = new STSClient({
    region: config.region,
    credentials: base.identity,
    maxAttempts: 1,
    requestHandler: network.requestHandler,
    customUserAgent: [["idc-codedeploy-helper", VERSION]],
    // Given here so that a stray ~/.aws/config of the calling user cannot change where we call.
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    ...(endpoint === null ? {} : { endpoint }),
  });
  const skew = () => {
    const { serverTimeMs } = network.requestHandler;
    return serverTimeMs === null ? null : serverTimeMs - Date.now();
  };
  const expectedArn = sessionArn(config.roleArn, config.serial) ?? "";
  try {
    const answer = await client.send(
      new AssumeRoleCommand({
        RoleArn: config.roleArn,
        RoleSessionName: config.serial,
        DurationSeconds: durationMs / 1_000,
      }),
    );
    const skewMs = skew();
    const trusted = skewMs !== null && Math.abs(skewMs) <= LARGEST_SKEW_MS ? skewMs : null;
    const now = new Date();
    const { Credentials: credentials, AssumedRoleUser: user } = answer;
    const session = checkAnswer(
      {
        accessKeyId: credentials?.AccessKeyId,
        secretAccessKey: credentials?.SecretAccessKey,
        sessionToken: credentials?.SessionToken,
        expiration: credentials?.Expiration,
        sessionArn: user?.Arn,
      },
      { sessionArn: expectedArn, now: new Date(now.getTime() + (trusted ?? 0)) },
    );
    const lifetimeMs = session.expiresAt.getTime() - now.getTime() - (trusted ?? 0);
    return { session: { ...session, issuedAt: now }, lifetimeMs, skewMs: trusted };
  } catch (error) {
    const context: CallContext = {
      action: "AssumeRole",
      where: `${endpoint === null ? `sts.${config.region}.${config.region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com"}` : new URL(endpoint).host}${network.route}`,
      baseSource: base.source,
      roleArn: config.roleArn,
      skewMs: skew(),
    };
    throw classifyAwsError(error, context);
  } finally {
    client.destroy();
  }
}

/**
 * The endpoint to call: the config's, else the SDK's own environment variable, else null for the region's.
 *
 * @throws Failure `config` for one in the environment that would carry credentials in the clear
 */
export function stsEndpoint(config: Config, env: NodeJS.ProcessEnv): string | null {
  if (config.endpoints.sts !== null) return config.endpoints.sts;
  // The SDK would follow either by itself, but not ask whether it is safe.
  const given = env.AWS_ENDPOINT_URL_STS || env.AWS_ENDPOINT_URL;
  if (!given) return null;
  if (isSafeEndpoint(given)) return given;
  throw new Failure({
    kind: "config",
    message:
      "AWS_ENDPOINT_URL_STS (or AWS_ENDPOINT_URL) is neither an https:// URL nor an http:// one of a loopback address",
    nextStep: "Correct or unset it: session credentials travel in the answer.",
  });
}
