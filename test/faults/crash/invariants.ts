/** What is looked at after a command was broken off: files, their modes, and what the command said. */
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Emulator } from "../../aws-emulator/emulator.ts";
import type { Tried } from "./points.ts";

/** A session's file, as `refresh` writes it: a broken one would be none of these. */
export function sessionFiles({ sessions }: Emulator): string[] {
  return sessions
    .list()
    .map(
      ({ accessKeyId, secretAccessKey, sessionToken }) =>
        `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\naws_session_token = ${sessionToken}\n`,
    );
}

/** A command that could not do its work says so, and where; it neither crashes nor is it silent. */
export function faultsOfAnswer({ code, signal, stdout, stderr }: Tried, isKill: boolean): string[] {
  if (isKill) return signal === "SIGKILL" ? [] : [`it was to be killed, and ended with ${code ?? signal}`];
  if (code === null) return [`it ended by ${signal}: ${stderr.slice(0, 400)}`];
  if (/unexpectedly|^ {4}at /m.test(stdout + stderr)) return [`it crashed: ${stderr.slice(0, 400)}`];
  if (code === 0) return [];
  return isPlaceNamed(stdout + stderr) ? [] : [`its message names no place: ${stderr.slice(0, 400)}`];
}

/** A path, a host and its port, an ARN, or a program that could not be run. */
const isPlaceNamed = (text: string) =>
  /\/[\w.-]+\/|127\.0\.0\.1:\d|localhost:\d|arn:aws:|flock|systemctl/.test(text);

interface Found {
  path: string;
  mode: number;
}

function filesUnder(directory: string): Found[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true }).flatMap((entry) => {
    if (!entry.isFile()) return [];
    const path = join(entry.parentPath, entry.name);
    // A service that runs on the host may have taken it away meanwhile.
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats === undefined ? [] : [{ path, mode: stats.mode & 0o777 }];
  });
}

/** Files that hold one of the secrets and that others than their owner and `readableByGroup` files' group may read. */
export function exposedSecrets(
  directory: string,
  secrets: readonly string[],
  isGroupAllowed: (path: string) => boolean = () => false,
): string[] {
  return filesUnder(directory).flatMap(({ path, mode }) => {
    if ((mode & (isGroupAllowed(path) ? 0o037 : 0o077)) === 0) return [];
    const content = existsSync(path) ? readFileSync(path, "latin1") : "";
    if (!secrets.some((secret) => content.includes(secret))) return [];
    return [`${path} (mode ${mode.toString(8)}) holds a secret`];
  });
}

/** What only a running command may have lying about; taken away, so that each point answers for itself. */
export function leftovers(directory: string): string[] {
  return filesUnder(directory)
    .map(({ path }) => path)
    .filter((path) => /\/\.[^/]*\.tmp\.[^/]*$|\/\.(taken|new)\.[^/]*$/.test(path))
    .map((path) => {
      rmSync(path);
      return `${path} is left over`;
    });
}

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}
