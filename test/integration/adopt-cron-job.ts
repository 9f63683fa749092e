/** What the old cron job's script runs: assumes the role with its user's key and rewrites the credentials file in place. */
import { readFileSync, writeFileSync } from "node:fs";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";

const [RoleArn, RoleSessionName, file = ""] = process.argv.slice(2);
const profile = process.env.AWS_PROFILE ?? "default";
const shared = readFileSync(`${process.env.HOME}/.aws/credentials`, "utf8");
const section = shared.slice(shared.indexOf(`[${profile}]`));
const value = (key: string) => new RegExp(`^${key} = (.*)$`, "m").exec(section)?.[1] ?? "";
const client = new STSClient({
  region: "ap-northeast-2",
  credentials: {
    accessKeyId: value("aws_access_key_id"),
    secretAccessKey: value("aws_secret_access_key"),
  },
});
const { Credentials: issued } = await client.send(new AssumeRoleCommand({ RoleArn, RoleSessionName }));
writeFileSync(
  file,
  `[default]
aws_access_key_id = ${issued?.AccessKeyId}
aws_secret_access_key = ${issued?.SecretAccessKey}
aws_session_token = ${issued?.SessionToken}
`,
  { mode: 0o600 },
);
