/** The credentials file on disk: prepared before STS is called, so that a file we cannot write costs no call. */
import { errorCode, errorText, Failure } from "../failure.ts";
import { findGroup } from "../host/accounts.ts";
import { AtomicFile } from "../host/atomic-file.ts";
import { readBytes, UnsafeFileError } from "../host/read-file.ts";
import { renderProfile } from "./profile-file.ts";
import type { SessionCredentials } from "./session.ts";

const MAX_BYTES = 1_024 * 1_024;

export interface FilePlace {
  path: string;
  profile: string;
  /** Who else may read it; null for the owner alone. */
  group: string | null;
}

export interface PreparedFile {
  /** What the file is to hold. @throws Failure `cannot_write`; the old file is as it was */
  render(credentials: SessionCredentials): Promise<Buffer>;
  /** @throws Failure `cannot_write`; the old file is as it was */
  commit(content: Buffer): Promise<void>;
  abandon(): Promise<void>;
}

/**
 * Checks that the file can be replaced and makes the temporary one. The caller holds the refresh lock.
 *
 * @throws Failure `cannot_write`; the old file is as it was
 */
export async function prepareCredentialsFile(place: FilePlace): Promise<PreparedFile> {
  const { path, profile, group } = place;
  try {
    await readExisting(path);
    const groupId = group === null ? null : groupIdOf(group);
    const file = await AtomicFile.create(path, { mode: group === null ? 0o600 : 0o640, groupId });
    const orAbandon = async <T>(work: Promise<T>): Promise<T> => {
      try {
        return await work;
      } catch (error) {
        await file.abandon();
        throw cannotWrite(place, error);
      }
    };
    return {
      abandon: () => file.abandon(),
      commit: (content) => orAbandon(file.commit(content)),
      render: (credentials) =>
        orAbandon(
          // Read again: while STS was answering, somebody may have edited another profile in it.
          readExisting(path).then((old) => Buffer.from(renderProfile(old, profile, credentials), "latin1")),
        ),
    };
  } catch (error) {
    throw cannotWrite(place, error);
  }
}

/**
 * A link is replaced, not followed: where it leads may not be ours to read or to write. Its target keeps its
 * content, and other profiles in it are not carried over.
 */
async function readExisting(path: string): Promise<string> {
  try {
    // One character a byte: what others wrote into their profiles is kept whatever its encoding.
    return (await readBytes(path, { maxBytes: MAX_BYTES })).toString("latin1");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    if (error instanceof UnsafeFileError && error.code === "ELOOP") return "";
    throw error;
  }
}

function groupIdOf(group: string): number {
  const id = findGroup(group);
  if (id !== null) return id;
  throw new Failure({
    kind: "cannot_write",
    message: `credentials_file.group is "${group}", but this host has no such group`,
    nextStep: `Create it (groupadd ${group}) or correct credentials_file.group.`,
  });
}

function cannotWrite({ path, group }: FilePlace, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const code = errorCode(error) ?? "";
  const isWriteLimit = code === "EFBIG" && !(error instanceof UnsafeFileError);
  const directory = path.slice(0, path.lastIndexOf("/")) || "/";
  const causes: Record<string, [string, string]> = {
    ENOENT: [
      `its directory ${directory} does not exist`,
      `Make it, owned by the user of the service: ${directory}`,
    ],
    ENOTDIR: [`${directory} is not a directory`, "Correct credentials_file.path."],
    EACCES: [
      "permission denied",
      `The service's user must own ${directory} and ${path}: chown idc-helper:idc-helper ${directory} ${path}`,
    ],
    EPERM: [
      group === null ? "not permitted" : `the service's user may not hand it to the group "${group}"`,
      group === null
        ? `Check the attributes of ${path} (lsattr).`
        : `Add the user: usermod -aG ${group} idc-helper, and restart the service.`,
    ],
    ENOSPC: ["the disk is full", `Free some space: df -h ${directory}; df -i ${directory}`],
    EDQUOT: ["the disk quota is used up", "Raise the quota of the service's user."],
    EROFS: [
      "the file system is read-only",
      "See dmesg for why it was remounted, or ReadWritePaths= of the unit.",
    ],
    EFBIG: ["the file there is too large to be a credentials file", `Look at ${path} and move it away.`],
    ENOTREG: ["what is there is not a regular file", `Look at it and move it away: ls -l ${path}`],
    EISDIR: ["it is a directory", "Correct credentials_file.path."],
  };
  const limit: [string, string] = [
    "a limit on the size of files is in force",
    "Raise LimitFSIZE= (ulimit -f).",
  ];
  const [why, nextStep] = (isWriteLimit ? limit : causes[code]) ?? [
    code || errorText(error),
    `Check ${path} and its directory.`,
  ];
  return new Failure(
    {
      kind: "cannot_write",
      message: `the credentials file ${path} was not written and is as it was: ${why}`,
      nextStep,
    },
    { cause: error },
  );
}
