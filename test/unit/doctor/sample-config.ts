/** A configuration as the checks get it, for judgements on facts alone. */
import { configFromText } from "../../../src/config/load.ts";

export const ROLE_ARN = "arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile";
export const SESSION_ARN =
  "arn:aws:sts::123456789012:assumed-role/CodeDeployIDC-Instance-Profile/serial-ABCDEFG";

export const sampleConfig = (more = "") =>
  configFromText(`serial: serial-ABCDEFG\nregion: ap-northeast-2\nrole_arn: ${ROLE_ARN}\n${more}`, {
    path: "/etc/idc-codedeploy-helper/config.yaml",
    unknownKeys: "error",
    env: {},
  }).config;
