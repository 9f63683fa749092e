import { join } from "node:path";
import { formatDuration } from "../../config/duration.ts";
import type { FileState, RefreshRecord } from "../../credentials/record.ts";
import type { AgentUser } from "../agent-facts.ts";
import { type Finding, fail, pass, warn } from "../finding.ts";
import { findProfile, oddValues } from "../profile-text.ts";

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
