/**
 * AssumeRole and GetCallerIdentity. No retry in here, because one loop retries and only one (DESIGN); but where AWS
 * refuses the time in the signature, AssumeRole is asked for once more by AWS's own clock: a host whose clock was set
 * wrong must not lose its credentials over it.
 */
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Config } from "../config/config.ts";
import { checkAnswer, type IssuedSession } from "../credentials/session.ts";
import { sessionArn } from "./arn.ts";
import type { BaseCredentials } from "./base-credentials.ts";
import { type Connection, callContext, clientOptions, skewOf } from "./client.ts";
import { classifyAwsError } from "./failure.ts";
import type { Network } from "./network.ts";

/** Every role allows this much, and a role assumed by a role gets no more (FACTS). */
export const DURATION_EVERY_ROLE_ALLOWS_MS = 3_600_000;

/** SigV4 refuses more, unless it was told by whose clock we sign: a Date header further off was not written by AWS. */
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
  const connection: Connection = {
    region: config.region,
    identity: base.identity,
    caller: { identity: "base", source: base.source },
    network,
    endpoint,
  };
  const client = new STSClient(clientOptions(connection));
  const expectedArn = sessionArn(config.roleArn, config.serial) ?? "";
  const context = () => callContext("sts", connection, { action: "AssumeRole", resource: config.roleArn });
  const ask = () =>
    client.send(
      new AssumeRoleCommand({
        RoleArn: config.roleArn,
        RoleSessionName: config.serial,
        DurationSeconds: durationMs / 1_000,
      }),
    );
  let isByServersClock = false;
  try {
    const answer = await ask().catch((error: unknown) => {
      if (classifyAwsError(error, context()).kind !== "clock_off") throw error;
      // The client has taken the server's time from the refusal, and signs by that from now on.
      isByServersClock = true;
      return ask();
    });
    const skewMs = skewOf(network);
    const isPlausible = skewMs !== null && (isByServersClock || Math.abs(skewMs) <= LARGEST_SKEW_MS);
    const trusted = isPlausible ? skewMs : null;
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
    throw classifyAwsError(error, context());
  } finally {
    client.destroy();
  }
}

/** Whose credentials these are. */
export interface CallerIdentity {
  arn: string;
  account: string;
  /** The server's clock minus ours, in milliseconds; null when it is not known. */
  skewMs: number | null;
}

/**
 * GetCallerIdentity, which needs no permission.
 *
 * @throws Failure
 */
export async function getCallerIdentity(connection: Connection): Promise<CallerIdentity> {
  const client = new STSClient(clientOptions(connection));
  try {
    const { Arn: arn = "", Account: account = "" } = await client.send(new GetCallerIdentityCommand({}));
    return { arn, account, skewMs: skewOf(connection.network) };
  } catch (error) {
    const call = { action: "GetCallerIdentity", resource: connection.region };
    throw classifyAwsError(error, callContext("sts", connection, call));
  } finally {
    client.destroy();
  }
}
