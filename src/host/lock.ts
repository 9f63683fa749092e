/**
 * A lock between processes that the kernel releases when its holder dies, however it dies.
 *
 * Node has no flock(2). util-linux's flock(1), which every host has, locks the *open file description* it
 * inherits; the lock stays with our descriptor after it has exited. A pid file would outlive a kill, and an
 * abstract socket name can be squatted by any local user (FACTS).
 */
import { spawnSync } from "node:child_process";
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { errorCode, errorText, Failure } from "../failure.ts";
import { toolEnvironment } from "./tool-environment.ts";

const CONFLICT = 75;
/** A process id with its line end; a longer text is none. */
const LONGEST_HOLDER = 32;

export interface Lock {
  release(): void;
}

export interface LockOptions {
  /** How long to wait for another holder, in milliseconds; 0 to give up at once. */
  waitMs?: number;
  /** Leave the last holder's process id in the file: for one who only wants to know whether it is held. */
  keepHolder?: boolean;
}

/**
 * @returns the lock, or null when another process holds it
 * @throws Failure `cannot_write` when the lock file cannot be made
 */
export function acquireLock(path: string, { waitMs = 0, keepHolder = false }: LockOptions = {}): Lock | null {
  const descriptor = openLockFile(path);
  const wait = waitMs === 0 ? ["--nonblock"] : ["--timeout", String(Math.ceil(waitMs / 1_000))];
  const { status, error } = spawnSync(
    "flock",
    ["--exclusive", "--conflict-exit-code", `${CONFLICT}`, ...wait, "3"],
    {
      stdio: ["ignore", "ignore", "ignore", descriptor],
      env: toolEnvironment(),
    },
  );
  if (status === 0) {
    if (!keepHolder) writeHolder(descriptor);
    return { release: () => close(descriptor) };
  }
  close(descriptor);
  if (status === CONFLICT) return null;
  throw new Failure({
    kind: "cannot_write",
    message: `cannot lock ${path}: ${error ? `flock: ${errorText(error)}` : `flock ended with status ${status}`}`,
    nextStep: "Install util-linux, which has flock(1).",
  });
}

/** The descriptor is gone, and with it the lock, whatever close(2) says of the number that was written to the file. */
function close(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // Nothing that anybody needs was in there.
  }
}

/** Only a message names the holder: a full disk, which cannot take its number, must not stand in the lock's way. */
function writeHolder(descriptor: number): void {
  try {
    ftruncateSync(descriptor);
    writeSync(descriptor, `${process.pid}\n`, 0);
  } catch {
    // The lock itself holds.
  }
}

/** The process id that the lock's holder, or its last holder, wrote; null where none is to be read. */
export function readLockHolder(path: string): number | null {
  try {
    const pid = Number(readStart(path).trim());
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

/** A process id and no more: what lies there may be a link, a FIFO, or as large as the disk. */
function readStart(path: string): string {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(descriptor).isFile()) return "";
    const start = Buffer.alloc(LONGEST_HOLDER);
    return start.toString("latin1", 0, readSync(descriptor, start, 0, start.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** Private: whoever may open a file, if only for reading, may lock it, and keep us out for ever. */
function openLockFile(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    throw new Failure({
      kind: "cannot_write",
      message: `cannot open the lock file ${path}: ${errorCode(error) ?? errorText(error)}`,
      nextStep: "See that its directory exists and belongs to the user this command runs as.",
    });
  }
}
