/**
 * What the old cron job calls AssumeRole with: found in the ~/.aws of its user, or where its crontab and its scripts
 * say. Each find is a candidate; which one it is, AssumeRole tells.
 */
import type { AwsCredentialIdentity } from "@aws-sdk/types";
import { parse } from "ini";
import { isLongLived } from "../aws/operator.ts";
import { errorCode, errorText } from "../failure.ts";
import type { User } from "../host/accounts.ts";
import { readTextIfPresent } from "../host/read-file.ts";
import { type AwsHints, findHints } from "./aws-hints.ts";

export interface BaseCandidate {
  identity: AwsCredentialIdentity;
  /** For a person: file and profile. */
  source: string;
}

export interface BaseSearch {
  candidates: BaseCandidate[];
  /** Where was looked, and what was there: for a person. */
  looked: string[];
}

/** Each is tried with AWS, and each that is denied leaves a line in CloudTrail. */
const MAX_CANDIDATES = 5;
const MAX_BYTES = 256 * 1_024;

/** @param texts what the cron job is made of: settings, command, scripts */
export async function findOldBase(texts: readonly string[], users: readonly User[]): Promise<BaseSearch> {
  const search: BaseSearch = { candidates: [], looked: [] };
  for (const { home, name } of users) {
    const hints = findHints(texts, home);
    if (hints.key !== null)
      search.candidates.push({ identity: hints.key, source: "the cron job's own text (a key in the clear)" });
    const files = hints.credentialsFiles.concat(home === "" ? [] : `${home}/.aws/credentials`);
    for (const file of new Set(files)) await lookInto(file, hints, name, search);
  }
  const unlike = search.candidates.filter(({ identity }, index, all) => {
    return all.findIndex((each) => each.identity.accessKeyId === identity.accessKeyId) === index;
  });
  return { ...search, candidates: unlike.slice(0, MAX_CANDIDATES) };
}

async function lookInto(
  file: string,
  { profiles }: AwsHints,
  user: string,
  search: BaseSearch,
): Promise<void> {
  let text: string | null;
  try {
    text = await readTextIfPresent(file, { maxBytes: MAX_BYTES });
  } catch (error) {
    search.looked.push(`${file}: ${errorCode(error) ?? errorText(error)}`);
    return;
  }
  if (text === null) {
    search.looked.push(`${file}: not there`);
    return;
  }
  const sections = keySections(text);
  const named = profiles.filter((profile) => sections.has(profile));
  const order = new Set([...named, "default", ...sections.keys()]);
  let found = 0;
  for (const profile of order) {
    const identity = sections.get(profile);
    // What has a session token is what the cron job writes, not what it starts from.
    if (identity === undefined || !isLongLived(identity)) continue;
    found += 1;
    search.candidates.push({ identity, source: `profile "${profile}" of ${file} (user ${user})` });
  }
  if (found === 0) search.looked.push(`${file}: no profile with a lasting key`);
}

/** Profiles with a whole key. */
function keySections(text: string): Map<string, AwsCredentialIdentity> {
  const sections = new Map<string, AwsCredentialIdentity>();
  const visit = (name: string, node: Record<string, unknown>) => {
    const { aws_access_key_id: id, aws_secret_access_key: secret, aws_session_token: token } = node;
    if (typeof id === "string" && typeof secret === "string" && id !== "" && secret !== "") {
      const sessionToken = typeof token === "string" && token !== "" ? { sessionToken: token } : {};
      sections.set(name, { accessKeyId: id, secretAccessKey: secret, ...sessionToken });
    }
    // `ini` makes a dotted section name into nested objects.
    for (const [key, child] of Object.entries(node)) {
      if (typeof child === "object" && child !== null && !Array.isArray(child))
        visit(name === "" ? key : `${name}.${key}`, child as Record<string, unknown>);
    }
  };
  visit("", parse(text));
  return sections;
}
