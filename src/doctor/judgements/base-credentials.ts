/** Judgements on the host's base credentials: facts in, finding out. */
import type { Stats } from "node:fs";
import { parseRoleArn } from "../../aws/arn.ts";
import type { CallerIdentity } from "../../aws/sts.ts";
import type { Config } from "../../config/config.ts";
import { formatDuration } from "../../config/duration.ts";
import type { Failure } from "../../failure.ts";
import { type Finding, fail, pass, warn } from "../finding.ts";

export const SERVICE_GROUP = "idc-helper";
const DAY_MS = 86_400_000;
const OLD_KEY_DAYS = 90;

/** Takes the file from standard input. */
export const install = (file: string) => `install -o root -g ${SERVICE_GROUP} -m 0640 /dev/stdin ${file}`;

/** No file of ours: the SDK's chain, which in a shell is another one than in the service. */
export function judgeChain(file: string, isFresh: boolean): Finding {
  const absent = `${file} does not exist`;
  if (isFresh)
    return pass(`${absent}; the service finds them in the SDK's own chain, and its last refresh worked`);
  return fail(`${absent}, and the service has found none in the SDK's own chain`, {
    advice: "Give it the key that may assume the role, as an AWS shared-credentials file on standard input.",
    mend: [install(file)],
  });
}

export function judgeMode(
  file: string,
  { uid, gid, mode }: Pick<Stats, "uid" | "gid" | "mode">,
  groupId: number | null,
): Finding {
  const octal = (mode & 0o7777).toString(8).padStart(4, "0");
  const mend = [`chown root:${SERVICE_GROUP} ${file}`, `chmod 0640 ${file}`];
  if ((mode & 0o007) !== 0) return fail(`everyone on this host can use ${file} (mode ${octal})`, { mend });
  if ((mode & 0o020) !== 0) return fail(`its group may change ${file} (mode ${octal})`, { mend });
  const isReadable = gid === groupId && (mode & 0o040) !== 0;
  if (groupId !== null && !isReadable && groupId !== 0) {
    return fail(`the service's user may not read ${file} (group ${gid}, mode ${octal})`, { mend });
  }
  if (uid !== 0) return warn(`${file} belongs to user ${uid}, who can change it`, { mend });
  return pass(`${file} is root's, mode ${octal}`);
}

export function judgeCaller({ arn }: Pick<CallerIdentity, "arn">): Finding {
  if (!arn.endsWith(":root")) return pass(arn);
  return warn(`they are those of the account itself (${arn}), who may do everything`, {
    advice: "Replace them by the key of a user who may do nothing but assume the role:",
    mend: ["idc-helper iam"],
  });
}

export function judgeAge(file: string, ageMs: number): Finding {
  const days = Math.floor(ageMs / DAY_MS);
  const shown = `${file} was last changed ${days === 0 ? "today" : `${days} day${days === 1 ? "" : "s"} ago`}`;
  if (days <= OLD_KEY_DAYS) return pass(shown);
  return warn(`${shown}; a key should be replaced every ${OLD_KEY_DAYS} days`, {
    advice:
      "Make a second key in IAM, give it on standard input, and delete the old one when a refresh works.",
    mend: [install(file), "idc-helper refresh"],
  });
}

export function judgeRights(allowed: readonly string[]): Finding {
  if (allowed.length === 0) return pass("reads of CodeDeploy that they need not have are denied");
  return warn(`they may call ${allowed.join(" and ")}, which a host need not`, {
    advice: "Let them call AssumeRole on the one role, and nothing else. This prints the policy:",
    mend: ["idc-helper iam --only base"],
  });
}

export function judgeSession(arn: string, lifetimeMs: number, isShorter: boolean, config: Config): Finding {
  const lasts = `${arn}, for ${formatDuration(lifetimeMs)}`;
  if (!isShorter) return pass(lasts);
  const wanted = formatDuration(config.sessionDurationMs);
  return warn(`${lasts}: the role does not allow the ${wanted} of session_duration`, {
    advice: "Raise what the role allows, or set session_duration to 1h.",
    mend: [raiseDuration(config)],
  });
}

function raiseDuration({ roleArn, sessionDurationMs }: Config): string {
  const name = parseRoleArn(roleArn)?.name ?? "ROLE";
  return `aws iam update-role --role-name ${name} --max-session-duration ${sessionDurationMs / 1_000}`;
}

export function mendOfRole({ kind }: Failure, config: Config): string[] {
  if (kind === "denied") return ["idc-helper iam --only base", "idc-helper iam --only trust"];
  if (kind === "role_or_duration_not_allowed") return [raiseDuration(config)];
  return ["idc-helper refresh"];
}

/** What passes by itself is no failure of the host. */
export function describeFailure(error: Failure, mend: readonly string[]): Finding {
  const { kind, message, nextStep: advice } = error;
  if (kind === "throttled" || kind === "server_error") return warn(message, { advice });
  if (kind === "clock_off") return fail(message, { advice, mend: ["chronyc makestep"] });
  return fail(message, { advice, mend });
}
