/**
 * The agent's on-premises config as an old host has it, and what follows from it. Pure.
 *
 * Two kinds: a session of a role, whose credentials a cron job writes; and an IAM user, whose key lies in the config
 * in clear text (`aws deploy register`). The key's secret stays in here and is never shown.
 */
import { FAILSAFE_SCHEMA, load } from "js-yaml";

export interface SessionSetup {
  kind: "session";
  sessionArn: string;
  partition: string;
  account: string;
  roleName: string;
  /** The session's name, which is the host's serial from now on. */
  serial: string;
  credentialsFile: string;
  region: string;
}

export interface UserSetup {
  kind: "user";
  userArn: string;
  partition: string;
  account: string;
  userName: string;
  /** Null where the agent takes the key from elsewhere. */
  accessKeyId: string | null;
  region: string;
}

export type OldSetup = SessionSetup | UserSetup;

export type OldSetupReading = { setup: OldSetup } | { unusable: string };

const SESSION_ARN =
  /^arn:(aws(?:-[a-z]+)*):sts::(\d{12}):assumed-role\/([\w+=,.@-]{1,64})\/([\w+=,.@-]{2,64})$/;
const USER_ARN = /^arn:(aws(?:-[a-z]+)*):iam::(\d{12}):user\/([\x21-\x7e]{1,576})$/;

/** @param text of codedeploy.onpremises.yml */
export function interpretOldConfig(text: string): OldSetupReading {
  const values = keysAndValues(text);
  if (values === null) return { unusable: "it is not YAML with keys and values" };
  const value = (key: string) => values.get(key) ?? null;
  const region = value("region");
  if (region === null) return { unusable: "it has no region" };
  const sessionArn = value("iam_session_arn");
  const userArn = value("iam_user_arn");
  if (sessionArn !== null && userArn !== null)
    return { unusable: "it has both iam_session_arn and iam_user_arn, which the agent itself refuses" };
  if (sessionArn !== null) return interpretSession(sessionArn, value("aws_credentials_file"), region);
  if (userArn !== null) return interpretUser(userArn, value("aws_access_key_id"), region);
  return { unusable: "it has neither iam_session_arn nor iam_user_arn" };
}

function interpretSession(sessionArn: string, file: string | null, region: string): OldSetupReading {
  const [, partition = "", account = "", roleName = "", serial = ""] = SESSION_ARN.exec(sessionArn) ?? [];
  if (serial === "")
    return { unusable: `its iam_session_arn is not the ARN of a role's session: ${shown(sessionArn)}` };
  if (file === null) return { unusable: "it has no aws_credentials_file" };
  return {
    setup: {
      kind: "session",
      sessionArn,
      partition,
      account,
      roleName,
      serial,
      credentialsFile: file,
      region,
    },
  };
}

function interpretUser(userArn: string, accessKeyId: string | null, region: string): OldSetupReading {
  const [, partition = "", account = "", path = ""] = USER_ARN.exec(userArn) ?? [];
  if (path === "") return { unusable: `its iam_user_arn is not the ARN of an IAM user: ${shown(userArn)}` };
  const userName = path.slice(path.lastIndexOf("/") + 1);
  return { setup: { kind: "user", userArn, partition, account, userName, accessKeyId, region } };
}

/** As the agent reads it: `:region` and `region` are one key to it. */
function keysAndValues(text: string): Map<string, string> | null {
  try {
    const value = load(text, { schema: FAILSAFE_SCHEMA, maxAliases: 0 });
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    return new Map(
      Object.entries(value).flatMap(([key, entry]): [string, string][] => {
        return typeof entry === "string" && entry !== "" ? [[key.replace(/^:/, ""), entry]] : [];
      }),
    );
  } catch {
    return null;
  }
}

function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
