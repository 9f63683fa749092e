/** Session credentials for tests; the values would be a secret if they were real. */
import type { SessionCredentials } from "../../../src/credentials/session.ts";

export const SESSION: SessionCredentials = {
  accessKeyId: "ASIAEXAMPLEEXAMPLE12",
  secretAccessKey: "sEcReT/+wJalrXUtnFEMI/K7MDENG/bPxRfiCYEX",
  sessionToken: "ToKeN/FwoGZXIvYXdzEBYaD+abc//def==",
};

export const SECTION = [
  "[default]",
  `aws_access_key_id = ${SESSION.accessKeyId}`,
  `aws_secret_access_key = ${SESSION.secretAccessKey}`,
  `aws_session_token = ${SESSION.sessionToken}`,
  "",
].join("\n");
