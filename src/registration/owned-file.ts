/** Writes root's files of this host, whole or not at all, and says what would change or did. */

import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { createTwoFilesPatch } from "diff";
import { errorCode, errorText, Failure } from "../failure.ts";
import { replaceFile } from "../host/atomic-file.ts";
import { readTextIfPresent } from "../host/read-file.ts";

export interface OwnedFile {
  path: string;
  text: string;
  mode: number;
  /** Null for root's own. */
  groupId: number | null;
  /** Whether it holds a secret: then its lines are never shown. */
  isSecret: boolean;
}

export type FileChange = "created" | "changed" | "mode" | "none";

const MAX_BYTES = 256 * 1_024;

/** What writing it would change. @throws Failure where what is there cannot be read */
export async function compareFile({ path, text, mode, groupId }: OwnedFile): Promise<FileChange> {
  const present = await readPresent(path);
  if (present === null) return "created";
  if (present !== text) return "changed";
  const found = statSync(path);
  const isRight =
    (found.mode & 0o7777) === mode && found.uid === 0 && (groupId === null || found.gid === groupId);
  return isRight ? "none" : "mode";
}

/** As a patch; of a secret file only that it changes. */
export async function diffOf(file: OwnedFile): Promise<string> {
  const mode = file.mode.toString(8).padStart(4, "0");
  if (file.isSecret) return `--- ${file.path} (mode ${mode}): its content is secret and not shown`;
  const present = await readPresent(file.path);
  const patch = createTwoFilesPatch(
    present === null ? "/dev/null" : file.path,
    file.path,
    present ?? "",
    file.text,
    undefined,
    undefined,
    { context: 2 },
  );
  return patch.replace(/^=+\n/, "").trimEnd();
}

/** @throws Failure `cannot_write`; what was there is as it was */
export async function writeOwnedFile({ path, text, mode, groupId }: OwnedFile): Promise<void> {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    await replaceFile(path, text, { mode, groupId, userId: 0 });
  } catch (error) {
    throw new Failure({
      kind: "cannot_write",
      message: `${path} was not written and is as it was: ${errorCode(error) ?? errorText(error)}`,
      nextStep: `See its directory: ls -ld ${dirname(path)}; df -h ${dirname(path)}`,
    });
  }
}

async function readPresent(path: string): Promise<string | null> {
  try {
    return await readTextIfPresent(path, { maxBytes: MAX_BYTES });
  } catch (error) {
    throw new Failure({
      kind: "cannot_write",
      message: `${path} cannot be replaced: ${errorText(error)}`,
      nextStep: `Look at it and move it away: ls -l ${path}`,
    });
  }
}
