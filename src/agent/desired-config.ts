/** What our config means for the agent's on-premises config. Kept apart from reading it: `run` holds no YAML parser. */
import { createHash } from "node:crypto";
import { sessionArn } from "../aws/arn.ts";
import type { Config } from "../config/config.ts";

/** The agent wants exactly these, all three (FACTS). */
export const WANTED_KEYS = ["iam_session_arn", "aws_credentials_file", "region"] as const;

export type OnPremisesConfig = Record<(typeof WANTED_KEYS)[number], string>;

export function desiredConfig({ roleArn, serial, credentialsFile, region }: Config): OnPremisesConfig {
  const arn = sessionArn(roleArn, serial);
  if (arn === null) throw new Error("a validated role ARN does not parse");
  return { iam_session_arn: arn, aws_credentials_file: credentialsFile.path, region };
}

/** @param desired the agent's on-premises config, as it should be */
export function digestOf(desired: OnPremisesConfig): string {
  const sorted = Object.entries(desired).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex");
}
