/** A session that the emulator issues for a host, its token of whatever shape was asked for. */
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { SessionCredentials } from "../../src/credentials/session.ts";
import { BASE_KEY, type Emulator, ROLE_ARN } from "../aws-emulator/emulator.ts";
import type { SettingsChange } from "../aws-emulator/settings.ts";

export const REGION = "ap-northeast-2";

export interface SuppliedSession {
  credentials: SessionCredentials;
  sessionArn: string;
}

export async function issueSession(
  emulator: Emulator,
  serial: string,
  sessionToken: NonNullable<SettingsChange["sessionToken"]> = {},
): Promise<SuppliedSession> {
  emulator.settings.change({ sessionToken });
  const sts = new STSClient({ endpoint: emulator.url, region: REGION, credentials: BASE_KEY });
  const answer = await sts.send(new AssumeRoleCommand({ RoleArn: ROLE_ARN, RoleSessionName: serial }));
  sts.destroy();
  const { AccessKeyId, SecretAccessKey, SessionToken } = answer.Credentials ?? {};
  const sessionArn = answer.AssumedRoleUser?.Arn;
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !sessionArn) {
    throw new Error("the emulator issued no complete session");
  }
  return {
    credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
    sessionArn,
  };
}
