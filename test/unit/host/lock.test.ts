/** Exclusion between real processes: never two at once, and never nobody because one was killed. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Failure } from "../../../src/failure.ts";
import { acquireLock, readLockHolder } from "../../../src/host/lock.ts";
import { asAnotherUser, underLimit } from "./another-user.ts";
import { useScratchDirectory } from "./scratch-directory.ts";

const scratch = useScratchDirectory();
const MODULE = join(import.meta.dirname, "../../../src/host/lock.ts");
const IMPORT = `import { acquireLock } from "SRC/host/lock.ts";`;

const holders: ChildProcess[] = [];
afterEach(() => {
  for (const holder of holders.splice(0)) holder.kill("SIGKILL");
});

/** A process that takes the lock, says "held", and holds it until it is killed or told to let go. */
async function holder(path: string): Promise<ChildProcess> {
  const script = `import { acquireLock } from ${JSON.stringify(MODULE)};
    const lock = acquireLock(${JSON.stringify(path)});
    process.stdin.once("data", () => { lock.release(); process.stdout.write("released"); });
    process.stdout.write(lock === null ? "refused" : "held");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  holders.push(child);
  const [said] = await once(child.stdout, "data");
  expect(String(said)).toBe("held");
  return child;
}

describe("the holder in a lock file", () => {
  const linked = (path: string) => {
    writeFileSync(`${path}.other`, "1\n");
    symlinkSync(`${path}.other`, path);
  };
  const endless = (path: string) => {
    writeFileSync(path, "");
    truncateSync(path, 64 * 2 ** 30);
  };
  test.each([
    ["as large as the disk", endless],
    ["a FIFO that nobody writes to", (path: string) => void execFileSync("mkfifo", [path])],
    ["a link to another", linked],
    ["a directory", (path: string) => void mkdirSync(path)],
  ])("is nobody's where the file is %s, and told at once", (_, plant) => {
    plant(scratch("planted"));
    expect(readLockHolder(scratch("planted"))).toBeNull();
  });
});

describe("a lock", () => {
  test("whose file cannot even be closed properly is released without a word", () => {
    const lock = acquireLock(scratch("lock"));
    const descriptors = readdirSync("/proc/self/fd").map(Number);
    const isLocks = (descriptor: number) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`) === scratch("lock");
      } catch {
        return false;
      }
    };
    closeSync(descriptors.find(isLocks) ?? -1);
    expect(() => lock?.release()).not.toThrow();
  });

  test("excludes another process, and names its holder", async () => {
    const { pid } = await holder(scratch("lock"));
    expect(acquireLock(scratch("lock"))).toBeNull();
    expect(readLockHolder(scratch("lock"))).toBe(pid);
  });

  test("cannot be taken by a user who could only read its file", () => {
    acquireLock(scratch("lock"))?.release();
    expect(statSync(scratch("lock")).mode & 0o777).toBe(0o600);
  });

  test("excludes a second taking by the same process", () => {
    const lock = acquireLock(scratch("lock"));
    expect(lock).not.toBeNull();
    expect(acquireLock(scratch("lock"))).toBeNull();
    lock?.release();
    acquireLock(scratch("lock"))?.release();
  });

  test("is free again once its holder was killed", async () => {
    const child = await holder(scratch("lock"));
    child.kill("SIGKILL");
    await once(child, "exit");
    const lock = acquireLock(scratch("lock"));
    expect(lock).not.toBeNull();
    expect(readLockHolder(scratch("lock"))).toBe(process.pid);
    lock?.release();
  });

  test("is waited for, and taken once it is released", async () => {
    const child = await holder(scratch("lock"));
    // The wait blocks this process, so that the holder is told to let go by another.
    const script = `acquireLock(${JSON.stringify(scratch("lock"))}, { waitMs: 50_000 }) !== null`;
    setTimeout(() => child.stdin?.write("let go"), 0);
    const waiter = spawn(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `import { acquireLock } from ${JSON.stringify(MODULE)}; process.stdout.write(String(${script}));`,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [said] = await once(waiter.stdout, "data");
    expect(String(said)).toBe("true");
  });

  test("is given up for after the wait", async () => {
    await holder(scratch("lock"));
    expect(acquireLock(scratch("lock"), { waitMs: 1 })).toBeNull();
  });

  test("keeps the last holder's number for one who only looks whether it is held", async () => {
    const child = await holder(scratch("lock"));
    child.kill("SIGKILL");
    await once(child, "exit");
    acquireLock(scratch("lock"), { keepHolder: true })?.release();
    expect(readLockHolder(scratch("lock"))).toBe(child.pid);
  });

  test("leaves no digits of a longer number behind", () => {
    writeFileSync(scratch("lock"), "99999999999999\nrubbish\n");
    acquireLock(scratch("lock"))?.release();
    expect(readFileSync(scratch("lock"), "utf8")).toBe(`${process.pid}\n`);
  });
});

describe("a lock file that cannot be made is a clear failure", () => {
  const failureOf = (path: string) => {
    try {
      acquireLock(path);
    } catch (error) {
      if (error instanceof Failure) return { kind: error.kind, message: error.message };
    }
    return null;
  };

  test("without its directory, being a directory, or being a link", () => {
    mkdirSync(scratch("directory"));
    symlinkSync("elsewhere", scratch("link"));
    const cases = [
      [scratch("none", "lock"), "ENOENT"],
      [scratch("directory"), "EISDIR"],
      [scratch("link"), "ELOOP"],
    ] as const;
    for (const [path, code] of cases) {
      const message = `cannot open the lock file ${path}: ${code}`;
      expect(failureOf(path)).toEqual({ kind: "cannot_write", message });
    }
  });

  test("in a directory of somebody else", () => {
    mkdirSync(scratch("closed"), { mode: 0o500 });
    const path = scratch("closed", "lock");
    const said = asAnotherUser(
      scratch("closed"),
      IMPORT,
      `(() => { try { acquireLock(${JSON.stringify(path)}); } catch (e) { return e.report(); } })()`,
    );
    expect(said).toMatchObject({
      kind: "cannot_write",
      message: `cannot open the lock file ${path}: EACCES`,
    });
  });

  test("where the host has no flock(1)", () => {
    const path = JSON.stringify(scratch("lock"));
    const said = underLimit(
      IMPORT,
      `(() => { process.env.PATH = "/nonexistent"; try { acquireLock(${path}); } catch (e) { return e.report(); } })()`,
      "",
    );
    expect(said).toMatchObject({ kind: "cannot_write", nextStep: expect.stringContaining("util-linux") });
  });
});

test("a disk that cannot take the holder's number does not stand in the lock's way", () => {
  const path = JSON.stringify(scratch("lock"));
  const said = underLimit(
    IMPORT,
    `[acquireLock(${path}) !== null, acquireLock(${path}) === null]`,
    "ulimit -f 0;",
  );
  expect(said).toEqual([true, true]);
});

test.each(["", "0", "-5", "1.5", "text", "12 13"])("a lock file that says %j names no holder", (text) => {
  writeFileSync(scratch("lock"), text);
  expect(readLockHolder(scratch("lock"))).toBeNull();
  expect(readLockHolder(scratch("none"))).toBeNull();
});
