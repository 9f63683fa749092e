/**
 * One refresh: one AssumeRole, one atomic file, one record of it. A failure at any point leaves the credentials
 * file as it was.
 */
import { loadBaseCredentials } from "../aws/base-credentials.ts";
import { serviceEndpoint } from "../aws/client.ts";
import { openNetwork } from "../aws/network.ts";
import { type AssumedRole, assumeRole, DURATION_EVERY_ROLE_ALLOWS_MS } from "../aws/sts.ts";
import type { Config } from "../config/config.ts";
import { formatDuration } from "../config/duration.ts";
import { stateFiles } from "../config/paths.ts";
import { prepareCredentialsFile } from "../credentials/credentials-file.ts";
import {
  addWrite,
  expiresBootMs,
  inspectFile,
  type RefreshRecord,
  readRecord,
  sha256,
  writeRecord,
} from "../credentials/record.ts";
import { errorCode, errorText, Failure } from "../failure.ts";
import { readBootId, readClock } from "../host/clock.ts";
import { acquireLock } from "../host/lock.ts";
import { scaledLimit } from "../host/service-environment.ts";
import { refuseOnClone } from "../registration/clone.ts";

/** After a day a role's limit may have been raised: the full duration is asked for again. */
const ASK_AGAIN_AFTER_MS = 86_400_000;
/** Less than the time that `run` gives a refresh (60 s), so that it can still say what it waited for. */
const LOCK_WAIT_MS = 40_000;

export interface Issued {
  issuedAt: string;
  expiresAt: string;
  sessionArn: string;
  warnings: RefreshWarning[];
}

/** Something a person should change although the refresh succeeded. */
export interface RefreshWarning {
  code: "duration_not_allowed" | "clock_skew";
  message: string;
  nextStep: string;
}

/** @throws Failure */
export async function issueCredentials(
  config: Config,
  factor: number,
  env: NodeJS.ProcessEnv,
): Promise<Issued> {
  await refuseOnClone(config.configFile);
  const files = stateFiles(config.paths);
  const lock = acquireLock(files.refreshLock, { waitMs: scaledLimit(LOCK_WAIT_MS, factor) });
  if (lock === null) {
    throw new Failure({
      kind: "busy",
      message: `another refresh on this host holds ${files.refreshLock} and does not end`,
      nextStep: `See what it waits for: fuser -v ${files.refreshLock}`,
    });
  }
  try {
    const before = await readRecord(files.refreshRecord, config.credentialsFile.path);
    const file = await prepareCredentialsFile(config.credentialsFile);
    try {
      const role = await assume(config, before, factor, env);
      const previous = await previousExpiry(config, before, role.skewMs ?? 0);
      const content = await file.render(role.session.credentials);
      const record = makeRecord({ config, before, role, content, previous });
      // First, so that one that is killed in between leaves no file that nobody knows; and credentials matter more.
      const unwritten = await writeRecord(files.refreshRecord, record).then(
        () => null,
        (error: unknown) => ({ error }),
      );
      await file.commit(content);
      if (unwritten !== null) throw notRecorded(files.refreshRecord, unwritten.error);
      const { issuedAt, expiresAt, sessionArn } = record;
      return { issuedAt, expiresAt, sessionArn, warnings: warningsOf(config, role) };
    } finally {
      await file.abandon();
    }
  } finally {
    lock.release();
  }
}

/** The agent has what it needs, but we shall not know the file again: it is made anew until the record is kept. */
function notRecorded(path: string, error: unknown): Failure {
  return new Failure({
    kind: "cannot_write",
    message: `the credentials file was replaced, but its record ${path} was not written: ${errorCode(error) ?? errorText(error)}`,
    nextStep: "Free some space, or mend the directory's owner and mode; it is tried again.",
  });
}

interface Granted extends AssumedRole {
  durationMs: number;
  /** When the answer came, from which the session's life is reckoned: writing it to a slow disk takes time. */
  answeredBootMs: number;
}

/** Asks for the configured duration and, where the role does not allow it, for what every role allows. */
async function assume(
  config: Config,
  before: RefreshRecord | null,
  factor: number,
  env: NodeJS.ProcessEnv,
): Promise<Granted> {
  const network = await openNetwork(config, factor, env);
  const base = await loadBaseCredentials(config, network.requestHandler);
  const endpoint = serviceEndpoint("sts", config, env);
  const ask = async (durationMs: number): Promise<Granted> => {
    const role = await assumeRole({ config, base, network, durationMs, endpoint });
    return { ...role, durationMs, answeredBootMs: readClock().bootMs };
  };
  const wanted = config.sessionDurationMs;
  if (wanted <= DURATION_EVERY_ROLE_ALLOWS_MS) return ask(wanted);
  if (isKnownRefused(config, before)) return ask(DURATION_EVERY_ROLE_ALLOWS_MS);
  try {
    return await ask(wanted);
  } catch (error) {
    const isDuration =
      error instanceof Failure &&
      error.kind === "role_or_duration_not_allowed" &&
      /duration/i.test(error.message);
    if (!isDuration) throw error;
    return ask(DURATION_EVERY_ROLE_ALLOWS_MS);
  }
}

function isKnownRefused({ roleArn, sessionDurationMs }: Config, before: RefreshRecord | null): boolean {
  const refused = before?.refusedDuration;
  if (!refused || refused.roleArn !== roleArn || refused.askedMs !== sessionDurationMs) return false;
  const age = Date.now() - refused.atMs;
  return age >= 0 && age < ASK_AGAIN_AFTER_MS;
}

/**
 * When what the agent may still hold expires; null when somebody else wrote the file, or nobody yet. By AWS's clock:
 * the host's own may have been stepped to a wrong time, which by itself looks like a pause of the host.
 */
async function previousExpiry(
  { credentialsFile }: Config,
  before: RefreshRecord | null,
  skewMs: number,
): Promise<number | null> {
  if (before === null) return null;
  const state = await inspectFile(credentialsFile.path, before, before);
  const { wallMs, ...clock } = readClock();
  return state === "foreign"
    ? null
    : expiresBootMs(before, { ...clock, wallMs: wallMs + skewMs }, readBootId());
}

interface RecordParts {
  config: Config;
  before: RefreshRecord | null;
  role: Granted;
  content: Buffer;
  previous: number | null;
}

function makeRecord({ config, before, role, content, previous }: RecordParts): RefreshRecord {
  const bootId = readBootId();
  const { bootMs } = readClock();
  const { session, durationMs, lifetimeMs, skewMs, answeredBootMs } = role;
  const wasRefused = durationMs < config.sessionDurationMs;
  const known = isKnownRefused(config, before) ? before?.refusedDuration : null;
  return {
    sha256: sha256(content),
    sessionArn: session.sessionArn,
    profile: config.credentialsFile.profile,
    group: config.credentialsFile.group,
    issuedAt: session.issuedAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
    bootId,
    issuedBootMs: answeredBootMs,
    expiresBootMs: Math.round(answeredBootMs + lifetimeMs),
    ...(skewMs === null ? {} : { skewMs }),
    writes: addWrite(before, { atBootMs: bootMs, previousExpiresBootMs: previous }, bootId),
    ...(before === null ? {} : { replaces: withoutPast(before) }),
    refusedDuration: wasRefused
      ? (known ?? { roleArn: config.roleArn, askedMs: config.sessionDurationMs, atMs: Date.now() })
      : null,
  };
}

function withoutPast({ replaces: _, ...record }: RefreshRecord): Omit<RefreshRecord, "replaces"> {
  return record;
}

const SKEW_WORTH_A_WARNING_MS = 120_000;

function warningsOf(config: Config, { durationMs, skewMs }: Granted): RefreshWarning[] {
  const warnings: RefreshWarning[] = [];
  if (durationMs < config.sessionDurationMs) {
    const wanted = formatDuration(config.sessionDurationMs);
    warnings.push({
      code: "duration_not_allowed",
      message: `the role does not allow sessions of ${wanted}: ${formatDuration(durationMs)} was asked for instead`,
      nextStep: `Raise the role's MaxSessionDuration to ${wanted} (aws iam update-role --max-session-duration ${config.sessionDurationMs / 1_000}), or set session_duration to 1h. A base identity that is itself an assumed role never gets more than 1 h.`,
    });
  }
  if (skewMs !== null && Math.abs(skewMs) >= SKEW_WORTH_A_WARNING_MS) {
    warnings.push({
      code: "clock_skew",
      message: `this host's clock is ${formatDuration(Math.abs(skewMs))} ${skewMs > 0 ? "behind" : "ahead of"} AWS's; from 5 min on AWS refuses every call that is not signed by its own time, as this one then is`,
      nextStep: "Set the clock and keep it set: chronyc tracking, or timedatectl.",
    });
  }
  return warnings;
}
