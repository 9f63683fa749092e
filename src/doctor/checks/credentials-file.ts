/** The file that the agent reads: there, ours, fresh, and such that this very agent takes it as it is meant. */
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sessionArn } from "../../aws/arn.ts";
import { formatDuration } from "../../config/duration.ts";
import { expiresBootMs, type FileState, inspectFile, type RefreshRecord } from "../../credentials/record.ts";
import { errorCode } from "../../failure.ts";
import { readBootId, readClock } from "../../host/clock.ts";
import { readText } from "../../host/read-file.ts";
import type { AgentUser } from "../agent-facts.ts";
import type { CheckGroup } from "../check.ts";
import type { Examination } from "../examination.ts";
import { type Finding, fail, pass, Unmet, unseen, warn } from "../finding.ts";
import { isHidden } from "../host-facts.ts";
import { findProfile, oddValues } from "../profile-text.ts";

const MAX_BYTES = 1_024 * 1_024;

export const credentialsFile: CheckGroup = {
  group: "Credentials file",
  checks: [
    {
      id: "credentials.fresh",
      title: "Ours and not expired",
      run: judgeFreshness,
    },
    {
      id: "credentials.mode",
      title: "Kept from others",
      async run({ host }) {
        const { path, group } = (await host.config()).credentialsFile;
        return judgeSecrecy(path, (await lookAt(path)).mode, group);
      },
    },
    {
      id: "credentials.readable",
      title: "Agent may read it",
      async run({ agent, host }) {
        const { path } = (await host.config()).credentialsFile;
        const user = await agent.user();
        return judgeReadable(path, user, await firstObstacle(path, user));
      },
    },
    {
      id: "credentials.profile",
      title: "Profile that the agent reads",
      async run(examination) {
        const { profile } = (await examination.host.config()).credentialsFile;
        const environment = await examination.agent.environment();
        if (environment === null)
          return unseen("the agent's environment is not to be seen", examination.asRoot);
        return judgeProfile(profile, environment.get("AWS_PROFILE") || null, examination.options.configPath);
      },
    },
    {
      id: "credentials.path",
      title: "Not the SDK's default path",
      async run({ agent, host }) {
        const { path } = (await host.config()).credentialsFile;
        const { home, name } = await agent.user();
        const shared = (await agent.environment())?.get("AWS_SHARED_CREDENTIALS_FILE") || null;
        return judgePath(path, { home, name, shared });
      },
    },
    {
      id: "credentials.values",
      title: "Values as the agent takes them",
      async run(examination) {
        const { path, profile } = (await examination.host.config()).credentialsFile;
        await lookAt(path);
        if (await isHidden(path)) return unseen(`${path} may not be read by this user`, examination.asRoot);
        const text = await readText(path, { maxBytes: MAX_BYTES, followLink: true });
        return judgeValues(path, text, profile, examination.own("refresh"));
      },
    },
  ],
};

async function judgeFreshness(examination: Examination): Promise<Finding> {
  const config = await examination.host.config();
  const { path, profile, group } = config.credentialsFile;
  const reading = await examination.host.record();
  if (reading === "hidden" || (await isHidden(path))) return judgeByStatus(examination);
  const { record } = reading;
  const wanted = { sessionArn: sessionArn(config.roleArn, config.serial) ?? "", profile, group };
  const state = await inspectFile(path, record, wanted);
  const now = readClock();
  const leftMs = record === null ? null : expiresBootMs(record, now, readBootId()) - now.bootMs;
  return judgeFile({ path, state, leftMs, record, refresh: examination.own("refresh") });
}

export interface FileFacts {
  path: string;
  state: FileState;
  /** Null without a record. */
  leftMs: number | null;
  record: Pick<RefreshRecord, "issuedAt"> | null;
  refresh: string;
}

export function judgeFile({ path, state, leftMs, refresh }: FileFacts): Finding {
  const mend = [refresh];
  if (state === "missing") return fail(`${path} does not exist`, { mend });
  if (state === "outdated")
    return fail(`${path} was made for another role, serial, profile or group than is configured`, { mend });
  if (state === "foreign") {
    return fail(`${path} is not what the last refresh wrote: somebody else has changed it`, {
      advice: "See whether a cron job of old still writes it (idc-helper adopt disables that).",
      mend: ["grep -rs -e assume-role -e get_sts_creds /etc/crontab /etc/cron.d /var/spool/cron", refresh],
    });
  }
  if (leftMs === null || leftMs <= 0)
    return fail(`what ${path} holds expired ${formatDuration(-(leftMs ?? 0))} ago`, { mend });
  return pass(`${path}, good for ${formatDuration(leftMs)}`);
}

/** The file is not for everyone, but what the service says of it is. */
async function judgeByStatus(examination: Examination): Promise<Finding> {
  const reading = await examination.host.status();
  const told = "status" in reading ? (reading.status?.credentials ?? null) : null;
  if (told === null) return unseen("the file may not be looked at by this user", examination.asRoot);
  const state = told.in_place ? "ours" : "foreign";
  const leftMs = Date.parse(told.expires_at) - Date.now();
  const finding = judgeFile({
    path: told.file,
    state,
    leftMs,
    record: null,
    refresh: examination.own("refresh"),
  });
  return { ...finding, seen: `${finding.seen} (by what the service reports)` };
}

export function judgeSecrecy(path: string, mode: number, group: string | null): Finding {
  const octal = (mode & 0o7777).toString(8).padStart(4, "0");
  const wanted = group === null ? "0600" : "0640";
  const mend = [`chmod ${wanted} ${path}`];
  if ((mode & 0o007) !== 0) return fail(`everyone on this host can use ${path} (mode ${octal})`, { mend });
  if ((mode & 0o020) !== 0) return fail(`its group may change ${path} (mode ${octal})`, { mend });
  if (group === null && (mode & 0o040) !== 0)
    return warn(`its group may read ${path} (mode ${octal}), though no credentials_file.group is set`, {
      mend,
    });
  return pass(`mode ${octal}`);
}

/** What keeps a user from reading a file: the file, or a directory on the way to it; null where nothing does. */
async function firstObstacle(path: string, user: AgentUser): Promise<string | null> {
  if (user.userId === 0) return null;
  const steps = [path];
  while (steps[0] !== "/") steps.unshift(dirname(steps[0] ?? "/"));
  for (const step of steps) {
    const { uid, gid, mode } = await lookAt(step);
    const shift = uid === user.userId ? 6 : user.groupIds.includes(gid) ? 3 : 0;
    const needed = step === path ? 4 : 1;
    if (((mode >> shift) & needed) === 0) return step;
  }
  return null;
}

export function judgeReadable(path: string, user: AgentUser, obstacle: string | null): Finding {
  const who = `the agent's user ${user.name} (${user.from})`;
  if (obstacle === null) return pass(`${who} may read it`);
  const what = obstacle === path ? path : `${path}, because of ${obstacle}`;
  return fail(`${who} may not read ${what}`, {
    advice: `Set credentials_file.group to a group of ${user.name} in the configuration, and that group as Group= of our service:`,
    mend: [
      `id -gn ${user.name}`,
      "systemctl edit idc-codedeploy-helper.service",
      "systemctl restart idc-codedeploy-helper.service",
    ],
  });
}

export function judgeProfile(ours: string, agents: string | null, configPath: string): Finding {
  const read = agents ?? "default";
  const origin = agents === null ? "it has no AWS_PROFILE" : `AWS_PROFILE is ${agents}`;
  if (read === ours) return pass(`${read} (${origin})`);
  return fail(`we write the profile ${ours}, but the agent reads ${read} (${origin})`, {
    advice: `In ${configPath}: credentials_file: { profile: ${read} }`,
    mend: ["systemctl reload idc-codedeploy-helper.service"],
  });
}

export interface DefaultPlaces {
  home: string | null;
  name: string;
  /** AWS_SHARED_CREDENTIALS_FILE of the agent; null when it has none. */
  shared: string | null;
}

/** The SDK in the agent caches its own default file for ever (FACTS, issue 413). */
export function judgePath(path: string, { home, name, shared }: DefaultPlaces): Finding {
  const own = home ? join(home, ".aws", "credentials") : null;
  const effect =
    "the SDK in the agent reads that file once and never again: it runs into ExpiredTokenException";
  if (shared === path) {
    return fail(`the agent has AWS_SHARED_CREDENTIALS_FILE=${path}: ${effect}`, {
      advice: "Take that variable out of the agent's unit, then:",
      mend: ["systemctl daemon-reload", "systemctl reload codedeploy-agent.service"],
    });
  }
  if (path === own) {
    return fail(`${path} is the default of the agent's user ${name}: ${effect}`, {
      advice: "Set credentials_file.path to another path, or take it out of the configuration, then:",
      mend: ["systemctl reload idc-codedeploy-helper.service"],
    });
  }
  return pass(own === null ? path : `${path} is not ${own}`);
}

export function judgeValues(path: string, text: string, profile: string, refresh: string): Finding {
  const values = findProfile(text, profile);
  const mend = [refresh];
  if (values === null)
    return fail(`${path} has no profile ${profile}: the agent's worker dies of it`, { mend });
  const needed = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];
  const missing = needed.filter((key) => !values.get(key));
  if (missing.length > 0) return fail(`profile ${profile} has no ${missing.join(" and no ")}`, { mend });
  const odd = oddValues(values);
  if (odd.length > 0) {
    return fail(
      `${odd.join(" and ")} of profile ${profile} has quotes, spaces or a semicolon, which the agent takes for part of the value`,
      { mend },
    );
  }
  return pass(`profile ${profile} is complete, without quotes`);
}

/** @throws Unmet where it is not there, or not for us to see */
async function lookAt(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") throw new Unmet(`${path} does not exist`);
    throw new Unmet(`${path} lies where this user may not look`);
  }
}
