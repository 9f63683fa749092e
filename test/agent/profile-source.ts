/**
 * Where the agent's credentials come from: one profile of one INI file, read as `Aws::SharedCredentials` reads it.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { CredentialSource, HeldCredentials, Reading } from "./credential-holder.ts";
import { type IniProfile, parseRubyIni } from "./ruby-ini.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A source that reads the file anew each time, unless it is the SDK's own default file (see {@link isSdkDefault}). */
export function profileSource(path: string, environment: Environment): CredentialSource {
  const profile = environment.AWS_PROFILE ?? "default";
  const read = () => readProfile(path, profile);
  if (!isSdkDefault(path, environment)) return read;
  // The SDK answers from the copy that it parsed first, for ever (shared_credentials.rb; issue 413 upstream).
  let first: Reading | undefined;
  return () => {
    first ??= read();
    return first;
  };
}

/** Whether the path is the one where the SDK for Ruby looks by itself. */
export function isSdkDefault(path: string, environment: Environment): boolean {
  const home = environment.HOME ?? homedir();
  const sdkDefault = environment.AWS_SHARED_CREDENTIALS_FILE ?? join(home, ".aws", "credentials");
  return path === resolve(sdkDefault);
}

export function readProfile(path: string, profileName: string): Reading {
  let profile: IniProfile | undefined;
  try {
    profile = parseRubyIni(readFileSync(path, "utf8")).get(profileName);
  } catch {
    return { kind: "unreadable" };
  }
  if (!profile) return { kind: "unreadable" };
  const credentials = credentialsIn(profile);
  return credentials ? { kind: "read", credentials } : { kind: "incomplete" };
}

function credentialsIn(profile: IniProfile): HeldCredentials | undefined {
  const value = (key: string) => {
    const found = profile.get(key);
    return typeof found === "string" ? found : undefined;
  };
  const accessKeyId = value("aws_access_key_id");
  const secretAccessKey = value("aws_secret_access_key");
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: value("aws_session_token") };
}
