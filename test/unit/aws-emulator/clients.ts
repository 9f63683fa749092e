/** AWS's own clients on an emulator, and a bare HTTP client for what they would hide. */
import { connect } from "node:net";
import { CodeDeployClient } from "@aws-sdk/client-codedeploy";
import type { Credentials } from "@aws-sdk/client-sts";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { Emulator } from "../../aws-emulator/emulator.ts";
import { BASE_KEY, OPERATOR_KEY, ROLE_ARN } from "../../aws-emulator/emulator.ts";

export const REGION = "ap-northeast-2";
export const SESSION_NAME = "serial-ABCDEFG";

export interface ClientOptions {
  readonly credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  readonly region?: string;
  /** How far this client's clock is off, in milliseconds. */
  readonly systemClockOffset?: number;
}

export function stsClient({ url }: Pick<Emulator, "url">, options: ClientOptions = {}): STSClient {
  return new STSClient({ endpoint: url, region: REGION, credentials: BASE_KEY, maxAttempts: 1, ...options });
}

export function codedeployClient(
  { url }: Pick<Emulator, "url">,
  options: ClientOptions = {},
): CodeDeployClient {
  return new CodeDeployClient({
    endpoint: url,
    region: REGION,
    credentials: OPERATOR_KEY,
    maxAttempts: 1,
    ...options,
  });
}

export interface IssuedSession {
  readonly arn: string;
  readonly credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string };
  readonly expiration: Date;
}

export async function assumeRole(
  client: STSClient,
  input: Partial<ConstructorParameters<typeof AssumeRoleCommand>[0]> = {},
): Promise<IssuedSession> {
  const answer = await client.send(
    new AssumeRoleCommand({ RoleArn: ROLE_ARN, RoleSessionName: SESSION_NAME, ...input }),
  );
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = present<Credentials>(answer.Credentials);
  return {
    arn: present(answer.AssumedRoleUser?.Arn),
    credentials: {
      accessKeyId: present(AccessKeyId),
      secretAccessKey: present(SecretAccessKey),
      sessionToken: present(SessionToken),
    },
    expiration: present(Expiration),
  };
}

/** An AssumeRole request without a signature; enough for faults, which come before authentication. */
export function bareAssumeRole(url: string, init: RequestInit = {}): Promise<Response> {
  const form = {
    Action: "AssumeRole",
    Version: "2011-06-15",
    RoleArn: ROLE_ARN,
    RoleSessionName: SESSION_NAME,
  };
  return fetch(url, { method: "POST", body: new URLSearchParams(form), redirect: "manual", ...init });
}

/** A JSON 1.1 request without a signature. */
export function barePoll(url: string): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "CodeDeployCommandService_v20141006.PollHostCommand",
    },
    body: "{}",
  });
}

/** What a new connection fails with, or null; `fetch` may still have an old one. */
export function connectionError(url: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket
      .once("connect", () => resolve(null))
      .once("error", (error) => resolve((error as { code?: string }).code ?? "?"));
    socket.once("connect", () => socket.destroy());
  });
}

export function present<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error("the answer lacks a member");
  return value;
}
