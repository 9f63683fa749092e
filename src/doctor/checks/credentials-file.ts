/** The file that the agent reads: there, ours, fresh, and such that this very agent takes it as it is meant. */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { sessionArn } from "../../aws/arn.ts";
import { expiresBootMs, inspectFile } from "../../credentials/record.ts";
import { errorCode } from "../../failure.ts";
import { readBootId, readClock } from "../../host/clock.ts";
import { readText, UnsafeFileError } from "../../host/read-file.ts";
import type { AgentUser } from "../agent-facts.ts";
import type { CheckGroup } from "../check.ts";
import type { Examination } from "../examination.ts";
import { type Finding, Unmet, unseen } from "../finding.ts";
import { isHidden } from "../host-facts.ts";
import {
  judgeFile,
  judgePath,
  judgeProfile,
  judgeReadable,
  judgeSecrecy,
  judgeValues,
} from "../judgements/credentials-file.ts";

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
        const text = await readOwn(path);
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

/** A link is none of ours, and whoever can lay one there would choose what root opens. @throws Unmet */
async function readOwn(path: string): Promise<string> {
  try {
    return await readText(path, { maxBytes: MAX_BYTES });
  } catch (error) {
    if (error instanceof UnsafeFileError) throw new Unmet(error.message);
    throw error;
  }
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

/** @throws Unmet where it is not there, or not for us to see */
async function lookAt(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") throw new Unmet(`${path} does not exist`);
    throw new Unmet(`${path} lies where this user may not look`);
  }
}
