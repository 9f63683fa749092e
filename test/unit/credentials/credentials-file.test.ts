/** The credentials file on a real disk: written whole and private, or as it was with a clear failure. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import {
  type FilePlace,
  type PreparedFile,
  prepareCredentialsFile,
} from "../../../src/credentials/credentials-file.ts";
import { Failure } from "../../../src/failure.ts";
import { asAnotherUser, NOBODY, underLimit } from "../host/another-user.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { SECTION, SESSION } from "./samples.ts";

const scratch = useScratchDirectory();
const isRoot = process.geteuid?.() === 0;
const place = (changes: Partial<FilePlace> = {}): FilePlace => ({
  path: scratch("credentials"),
  profile: "default",
  group: null,
  ...changes,
});
async function write(where = place()): Promise<string> {
  return commit(await prepareCredentialsFile(where));
}
async function commit(file: PreparedFile): Promise<string> {
  const bytes = await file.render(SESSION);
  await file.commit(bytes);
  return bytes.toString();
}
const content = (name = "credentials") => readFileSync(scratch(name), "utf8");

async function failureOf(where = place()): Promise<Failure> {
  const error = await write(where).catch((thrown: unknown) => thrown);
  if (error instanceof Failure) return error;
  throw new Error(`expected a Failure, not ${String(error)}`);
}

describe("a written file", () => {
  test("holds the session, is its owner's alone, and nothing is left beside it", async () => {
    expect(await write()).toBe(SECTION);
    expect(content()).toBe(SECTION);
    expect(statSync(scratch("credentials")).mode & 0o7777).toBe(0o600);
    expect(readdirSync(scratch())).toEqual(["credentials"]);
  });

  test("keeps other profiles, edited while STS was answering", async () => {
    writeFileSync(scratch("credentials"), "[other]\na = 1\n");
    const file = await prepareCredentialsFile(place());
    writeFileSync(scratch("credentials"), "[other]\na = 2\n");
    await commit(file);
    expect(content()).toBe(`[other]\na = 2\n${SECTION}`);
  });

  test.skipIf(!isRoot)("is its group's to read where one is configured", async () => {
    await write(place({ group: "daemon" }));
    const { mode, gid } = statSync(scratch("credentials"));
    const [, , daemon] = execFileSync("getent", ["group", "daemon"], { encoding: "utf8" }).split(":");
    expect([mode & 0o7777, gid]).toEqual([0o640, Number(daemon)]);
  });

  test("takes the place of a link, whose target is neither read nor written", async () => {
    writeFileSync(scratch("target"), "[precious]\na = b\n");
    symlinkSync("target", scratch("credentials"));
    await write();
    expect(lstatSync(scratch("credentials")).isFile()).toBe(true);
    expect(content()).toBe(SECTION);
    expect(content("target")).toBe("[precious]\na = b\n");
  });

  test("cleans up after killed writers, and leaves look-alikes", async () => {
    writeFileSync(scratch(".credentials.tmp.1.0123456789ab"), "half");
    writeFileSync(scratch(".credentials.tmp.mine"), "x");
    await write();
    expect(readdirSync(scratch()).sort()).toEqual([".credentials.tmp.mine", "credentials"]);
  });

  test("that is abandoned leaves the old one and nothing beside it", async () => {
    writeFileSync(scratch("credentials"), "old");
    await (await prepareCredentialsFile(place())).abandon();
    expect(content()).toBe("old");
    expect(readdirSync(scratch())).toEqual(["credentials"]);
  });
});

describe("what cannot be written is a clear failure before STS is asked, with everything as it was", () => {
  const expectFailure = async (where: FilePlace, why: string, step: string) => {
    const before = readdirSync(scratch()).sort();
    const error = await prepareCredentialsFile(where).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({ kind: "cannot_write", nextStep: expect.stringContaining(step) });
    expect(String(error)).toContain(why);
    expect(readdirSync(scratch()).sort()).toEqual(before);
  };

  test("a directory in its place", async () => {
    mkdirSync(scratch("credentials"));
    await expectFailure(place(), "what is there is not a regular file", "ls -l");
  });

  test("a FIFO in its place, without waiting for its other end", async () => {
    execFileSync("mkfifo", [scratch("credentials")]);
    await expectFailure(place(), "what is there is not a regular file", "ls -l");
  });

  test("a socket in its place", async () => {
    const server = createServer().listen(scratch("credentials"));
    await expectFailure(place(), "ENXIO", scratch("credentials"));
    server.close();
  });

  test("something far too large in its place", async () => {
    writeFileSync(scratch("credentials"), "x".repeat(2 * 1_024 * 1_024));
    await expectFailure(place(), "the file there is too large to be a credentials file", "move it away");
  });

  test("a directory that does not exist, or is a file", async () => {
    writeFileSync(scratch("file"), "");
    await expectFailure(
      place({ path: scratch("none", "c") }),
      `its directory ${scratch("none")} does not exist`,
      "Make it",
    );
    await expectFailure(
      place({ path: scratch("file", "c") }),
      "file is not a directory",
      "credentials_file.path",
    );
  });

  test("a group that this host does not have", async () => {
    await expectFailure(
      place({ group: "no-such-group" }),
      'is "no-such-group", but this host has no such group',
      "groupadd",
    );
  });
});

describe("as a user whom file modes bind", () => {
  const IMPORT = `import { prepareCredentialsFile } from "SRC/credentials/credentials-file.ts";`;
  const attempt = (where: FilePlace) =>
    `prepareCredentialsFile(${JSON.stringify(where)}).then(async (f) => f.commit(await f.render(${JSON.stringify(SESSION)}))).then(() => "written", (e) => e.report())`;
  const denied = {
    kind: "cannot_write",
    message: expect.stringContaining("permission denied"),
    nextStep: expect.stringContaining("chown"),
  };

  test("a directory that may not be written leaves the old file intact", () => {
    mkdirSync(scratch("state"));
    writeFileSync(scratch("state", "credentials"), "old");
    if (isRoot) chownSync(scratch("state", "credentials"), NOBODY, NOBODY);
    execFileSync("chmod", ["0500", scratch("state")]);
    const where = place({ path: scratch("state", "credentials") });
    expect(asAnotherUser(scratch("state"), IMPORT, attempt(where))).toMatchObject(denied);
    expect(content("state/credentials")).toBe("old");
    expect(readdirSync(scratch("state"))).toEqual(["credentials"]);
  });

  test("an old file that may not be read is not thrown away", () => {
    mkdirSync(scratch("state"));
    writeFileSync(scratch("state", "credentials"), "[other]\n", { mode: 0o000 });
    const where = place({ path: scratch("state", "credentials") });
    expect(asAnotherUser(scratch("state"), IMPORT, attempt(where))).toMatchObject(denied);
    if (isRoot) expect(content("state/credentials")).toBe("[other]\n");
  });

  test.skipIf(!isRoot)("a group that the user is no member of is named, with the command that helps", () => {
    mkdirSync(scratch("state"));
    const where = place({ path: scratch("state", "credentials"), group: "daemon" });
    expect(asAnotherUser(scratch("state"), IMPORT, attempt(where))).toMatchObject({
      kind: "cannot_write",
      message: expect.stringContaining('may not hand it to the group "daemon"'),
      nextStep: expect.stringContaining("usermod -aG daemon idc-helper"),
    });
    expect(readdirSync(scratch("state"))).toEqual([]);
  });
});

describe("a file that cannot be written to its end is not put in place", () => {
  const IMPORT = `import { prepareCredentialsFile } from "SRC/credentials/credentials-file.ts";
    import { readdirSync, readFileSync, writeFileSync } from "node:fs";`;
  const script = (path: string, directory: string, before: string) => `(async () => {
    ${before}
    const file = await prepareCredentialsFile({ path: ${JSON.stringify(path)}, profile: "default", group: null });
    const said = await file.render({ accessKeyId: "a", secretAccessKey: "b", sessionToken: "c".repeat(8000) }).then((bytes) => file.commit(bytes)).then(() => "written", (e) => e.report());
    return [said, readFileSync(${JSON.stringify(path)}, "utf8"), readdirSync(${JSON.stringify(directory)})];
  })()`;

  test("under a limit on the size of files, which stops the write in its middle", () => {
    writeFileSync(scratch("credentials"), "[other]\n");
    const said = underLimit(IMPORT, script(scratch("credentials"), scratch(), ""), "ulimit -f 8;");
    expect(said).toEqual([
      {
        kind: "cannot_write",
        message: expect.stringContaining("a limit on the size of files is in force"),
        nextStep: expect.stringContaining("LimitFSIZE="),
      },
      "[other]\n",
      ["credentials"],
    ]);
  });

  const mounts = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;
  test.skipIf(!mounts)("on a full disk", () => {
    const directory = scratch("disk");
    mkdirSync(directory);
    // Filled to the last block but one: the old file stays, the new one finds room for its first half.
    const fill = `writeFileSync(${JSON.stringify(`${directory}/credentials`)}, "[other]\\n");
      writeFileSync(${JSON.stringify(`${directory}/filler`)}, "x".repeat(4096 * 6));`;
    const filled = script(`${directory}/credentials`, directory, fill);
    const mount = `exec unshare -m /bin/sh -c 'mount -t tmpfs -o size=32k tmpfs "${directory}" && exec "$@"' sh "$@";`;
    expect(underLimit(IMPORT, filled, mount)).toEqual([
      {
        kind: "cannot_write",
        message: expect.stringContaining("the disk is full"),
        nextStep: expect.stringContaining("df -h"),
      },
      "[other]\n",
      ["credentials", "filler"],
    ]);
  });
});

test("no failure repeats the credentials", async () => {
  mkdirSync(scratch("credentials"));
  const { message, nextStep } = await failureOf();
  for (const secret of Object.values(SESSION)) expect(message + nextStep).not.toContain(secret);
});
