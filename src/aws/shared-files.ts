/**
 * The files that the AWS SDK reads by itself, whole and without a bound: its shared config and credentials, whoever's
 * key we have, and the token files that the environment names. One without an end would take all memory.
 */
import { statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Failure } from "../failure.ts";

const MAX_BYTES = 1_024 * 1_024;
/** proc(5), null(4): major 1, minor 3. To name /dev/null is how people keep the SDK from a file. */
const NULL_DEVICE = 0x103;

/**
 * What the SDK cannot read at all (a directory, somebody else's file) it goes on without, and so do we.
 *
 * @param whose credentials are to be used: it decides the kind of the failure
 * @throws Failure `base_credentials_invalid` or `operator_credentials_invalid`
 */
export function refuseEndlessFiles(
  whose: "base" | "operator",
  env: Readonly<Record<string, string | undefined>> = process.env,
): void {
  for (const { path, from } of filesOfSdk(env)) {
    const why = whyEndless(path);
    if (why === null) continue;
    throw new Failure({
      kind: whose === "base" ? "base_credentials_invalid" : "operator_credentials_invalid",
      message: `${path} (${from}), which the AWS SDK would read, ${why}`,
      nextStep: "Put a file of credentials or settings there, or name another, or /dev/null for none.",
    });
  }
}

interface SdkFile {
  path: string;
  /** The variable that names it, or would. */
  from: string;
}

function filesOfSdk(env: Readonly<Record<string, string | undefined>>): SdkFile[] {
  // As the SDK finds the home, but for the variables of Windows.
  const home = env.HOME || homedir();
  const shared = [
    ["AWS_SHARED_CREDENTIALS_FILE", "credentials"],
    ["AWS_CONFIG_FILE", "config"],
  ] as const;
  const tokens = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];
  return [
    ...shared.map(([variable, name]) => {
      const path = env[variable];
      if (!path) return { path: join(home, ".aws", name), from: `${variable} names no other` };
      return { path: path.startsWith("~/") ? join(home, path.slice(2)) : path, from: variable };
    }),
    ...tokens.flatMap((from) => {
      const path = env[from];
      return path ? [{ path, from }] : [];
    }),
  ];
}

function whyEndless(path: string): string | null {
  try {
    const found = statSync(path);
    if (found.isCharacterDevice() && found.rdev === NULL_DEVICE) return null;
    if (found.isCharacterDevice() || found.isBlockDevice() || found.isFIFO()) return "is not a regular file";
    return found.size > MAX_BYTES ? `is larger than ${MAX_BYTES} bytes` : null;
  } catch {
    return null;
  }
}
