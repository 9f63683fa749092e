/**
 * Which crontab entry refreshes the agent's credentials? Judged by what its command, and the scripts that it runs,
 * mention. Pure.
 *
 * A backup or a monitoring check mentions the files, too; another job assumes another role. So what speaks for an
 * entry adds up, only the best are taken, and the rest is shown and left alone.
 */

export interface OldPair {
  /** What the agent reads now; null where that is not known. */
  credentialsFile: string | null;
  /** Names of the role and the session, which a script may carry. */
  roleName: string | null;
  serial: string | null;
}

export interface Evidence {
  score: number;
  /** For a person: what was mentioned. */
  mentions: string[];
}

const ASSUMES_ROLE = /assume[-_]?role(?!d)|get_sts_creds/i;
const CONFIG_NAME = "codedeploy.onpremises.yml";

/** Below this, nothing was mentioned that has to do with the agent's credentials. */
const LEAST_SCORE = 1;

/** @param texts the command and what it runs */
export function weigh(texts: readonly string[], { credentialsFile, roleName, serial }: OldPair): Evidence {
  const text = texts.join("\n");
  const has = (needle: string | null) => needle !== null && needle !== "" && text.includes(needle);
  const mentions: string[] = [];
  let score = 0;
  const add = (points: number, mention: string) => {
    score += points;
    mentions.push(mention);
  };
  const verb = ASSUMES_ROLE.exec(text)?.[0];
  if (verb !== undefined) add(8, verb);
  if (has(credentialsFile)) add(4, credentialsFile ?? "");
  if (has(CONFIG_NAME)) add(2, CONFIG_NAME);
  // Neither means anything by itself: a role's or a host's name is in many scripts.
  if (score > 0 && (has(roleName) || has(serial))) add(1, has(roleName) ? `${roleName}` : `${serial}`);
  return { score, mentions };
}

export interface Judged<T> {
  refreshers: T[];
  /** They mention something of it, but others do so better. */
  related: T[];
}

export function best<T extends { evidence: Evidence }>(candidates: readonly T[]): Judged<T> {
  const touched = candidates.filter(({ evidence }) => evidence.score >= LEAST_SCORE);
  const top = touched.reduce((highest, { evidence }) => Math.max(highest, evidence.score), 0);
  return {
    refreshers: touched.filter(({ evidence }) => evidence.score === top),
    related: touched.filter(({ evidence }) => evidence.score < top),
  };
}
