/**
 * What `adopt` found and changed, kept from before its first change until `--undo`: it is what an adoption that was
 * cut short goes on from, and what an undo goes back to.
 *
 * The directory lies beside the config and is root's alone (0700): a backup may hold an IAM user's key. The manifest
 * is written last of all, so that one that is there names backups that are there.
 */
import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Tag } from "../aws/codedeploy.ts";
import { adoptionDirectory } from "../config/paths.ts";
import { errorCode, errorText, Failure } from "../failure.ts";
import { AtomicFile, replaceFile } from "../host/atomic-file.ts";
import { readBytes, readTextIfPresent } from "../host/read-file.ts";

export interface SavedFile {
  path: string;
  /** Name in the adoption's directory; null where there was no such file. */
  backup: string | null;
  mode: number;
  userId: number;
  groupId: number;
}

export interface SavedJob {
  file: string;
  /** The line as it stood. */
  content: string;
  line: number;
  user: string;
  schedule: string;
}

export interface Manifest {
  schema: 1;
  /** `adopting` until the old way is out of force; `undoing` once an undo has begun. */
  state: "adopting" | "adopted" | "undoing";
  startedAt: string;
  /** When an undo began; null before. */
  undoStartedAt: string | null;
  serial: string;
  region: string;
  roleArn: string;
  sessionArn: string;
  old:
    | { kind: "session"; credentialsFile: string }
    | { kind: "user"; userArn: string; accessKeyId: string | null; instanceName: string; tags: Tag[] };
  onPremisesConfigFile: string;
  jobs: SavedJob[];
  files: SavedFile[];
}

const MAX_BYTES = 1_024 * 1_024;

function manifestFile(configFile: string): string {
  return join(adoptionDirectory(configFile), "manifest.json");
}

/**
 * @returns null where this host was not adopted
 * @throws Failure `cannot_write` for one that cannot be used
 */
export async function readManifest(configFile: string): Promise<Manifest | null> {
  const path = manifestFile(configFile);
  try {
    const text = await readTextIfPresent(path, { maxBytes: MAX_BYTES });
    if (text === null) return null;
    const value: unknown = JSON.parse(text);
    if (isManifest(value)) return value;
    throw new SyntaxError("it was written by another version of idc-helper");
  } catch (error) {
    const code = errorCode(error);
    throw new Failure({
      kind: code === "EACCES" ? "host_not_ready" : "cannot_write",
      message:
        code === "EACCES"
          ? "this command must be run as root (sudo)"
          : `${path}, which says what adopt changed on this host, cannot be used: ${errorText(error)}`,
      nextStep:
        code === "EACCES"
          ? ""
          : `The files as they were lie beside it: ls -l ${adoptionDirectory(configFile)}`,
    });
  }
}

/** @throws Failure `cannot_write` */
export async function writeManifest(configFile: string, manifest: Manifest): Promise<void> {
  const [directory, path] = [adoptionDirectory(configFile), manifestFile(configFile)];
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    await replaceFile(path, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
  } catch (error) {
    throw new Failure({
      kind: "cannot_write",
      message: `${path}, which says what adopt changed on this host, could not be written: ${errorText(error)}`,
      nextStep: `See: ls -ld ${directory}; df -h ${directory}`,
    });
  }
}

/** The manifest goes first: without it, what is left is only old copies. */
export function removeAdoption(configFile: string): void {
  rmSync(manifestFile(configFile), { force: true });
  rmSync(adoptionDirectory(configFile), { recursive: true, force: true });
}

/** Keeps a copy of a file, or the knowledge that there is none. @throws Failure `cannot_write` */
export async function saveFile(configFile: string, path: string, index: number): Promise<SavedFile> {
  const directory = adoptionDirectory(configFile);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return { path, backup: null, mode: 0, userId: 0, groupId: 0 };
    const backup = `${index}-${basename(path)}`;
    const content = await readBytes(path, { maxBytes: MAX_BYTES });
    const copy = await AtomicFile.create(join(directory, backup), { mode: 0o600 });
    await copy.commit(content);
    return { path, backup, mode: found.mode & 0o7777, userId: found.uid, groupId: found.gid };
  } catch (error) {
    throw new Failure({
      kind: "cannot_write",
      message: `no copy of ${path} could be kept in ${directory}, so nothing was changed: ${errorText(error)}`,
      nextStep: `See: ls -l ${path}; df -h ${directory}`,
    });
  }
}

/** Puts a file back as it was: its bytes, owner and mode; or takes away what was not there. */
export async function restoreFile(configFile: string, saved: SavedFile): Promise<void> {
  const { path, backup, mode, userId, groupId } = saved;
  try {
    if (backup === null) return rmSync(path, { force: true });
    const file = await AtomicFile.create(path, { mode, userId, groupId });
    await file.commit(await readSaved(configFile, saved));
  } catch (error) {
    throw new Failure({
      kind: "cannot_write",
      message: `${path} was not put back: ${errorText(error)}`,
      nextStep: `Its copy lies in ${adoptionDirectory(configFile)}. Run the same command again.`,
    });
  }
}

/** The copies that sync left beside the agent's config when it switched it: those that hold just what was saved. */
export async function removeSyncBackups(configFile: string, saved: SavedFile): Promise<void> {
  if (saved.backup === null) return;
  const content = await readSaved(configFile, saved);
  const directory = dirname(saved.path);
  for (const name of readdirSync(directory)) {
    if (!name.startsWith(`${basename(saved.path)}.`) || !name.endsWith(".bak")) continue;
    const copy = await readBytes(join(directory, name), { maxBytes: MAX_BYTES }).catch(() => null);
    if (copy?.equals(content)) rmSync(join(directory, name), { force: true });
  }
}

/** Whether the file is as it was saved. */
export async function isAsSaved(configFile: string, saved: SavedFile): Promise<boolean> {
  const found = lstatSync(saved.path, { throwIfNoEntry: false });
  if (saved.backup === null || found === undefined) return saved.backup === null && found === undefined;
  const present = await readBytes(saved.path, { maxBytes: MAX_BYTES }).catch(() => null);
  const isSame = present?.equals(await readSaved(configFile, saved)) === true;
  return (
    isSame &&
    (found.mode & 0o7777) === saved.mode &&
    found.uid === saved.userId &&
    found.gid === saved.groupId
  );
}

/** The bytes that were saved. @throws the system error */
export function readSaved(configFile: string, { backup }: SavedFile): Promise<Buffer> {
  return readBytes(join(adoptionDirectory(configFile), backup ?? ""), { maxBytes: MAX_BYTES });
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== "object" || value === null) return false;
  const { schema, state, serial, roleArn, sessionArn, old, jobs, files } = value as Partial<Manifest>;
  const { startedAt, region, onPremisesConfigFile } = value as Partial<Manifest>;
  const texts = [state, serial, roleArn, sessionArn, startedAt, region, onPremisesConfigFile];
  const isOld = typeof old === "object" && old !== null && (old.kind === "session" || old.kind === "user");
  const isWhole = Array.isArray(jobs) && jobs.every(isJob) && Array.isArray(files) && files.every(isSaved);
  return schema === 1 && texts.every((field) => typeof field === "string") && isOld && isWhole;
}

function isJob(value: unknown): value is SavedJob {
  if (typeof value !== "object" || value === null) return false;
  const { file, content, line } = value as Partial<SavedJob>;
  return typeof file === "string" && typeof content === "string" && Number.isInteger(line);
}

/** A copy's name is one of this directory: it must not lead out of it. */
function isSaved(value: unknown): value is SavedFile {
  if (typeof value !== "object" || value === null) return false;
  const { path, backup, mode, userId, groupId } = value as Partial<SavedFile>;
  const isName = backup === null || (typeof backup === "string" && basename(backup) === backup);
  return typeof path === "string" && isName && [mode, userId, groupId].every(Number.isInteger);
}
