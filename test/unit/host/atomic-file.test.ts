/** A file replaced in one step: what is left behind, and what is never touched. */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test } from "vitest";
import { AtomicFile, replaceFile } from "../../../src/host/atomic-file.ts";
import { asAnotherUser } from "./another-user.ts";
import { useScratchDirectory } from "./scratch-directory.ts";

const scratch = useScratchDirectory();
const PRIVATE = { mode: 0o600 };
const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);

describe("a replaced file", () => {
  test.each([0o600, 0o640, 0o644])(
    "has its mode %o whatever the old file's mode and the umask are",
    async (mode) => {
      writeFileSync(scratch("file"), "old", { mode: 0o666 });
      const umask = process.umask(0o077);
      await replaceFile(scratch("file"), "new", { mode });
      process.umask(umask);
      expect(readFileSync(scratch("file"), "utf8")).toBe("new");
      expect(modeOf(scratch("file"))).toBe(mode.toString(8));
      expect(readdirSync(scratch())).toEqual(["file"]);
    },
  );

  test.skipIf(process.geteuid?.() !== 0)("belongs to the user and group that it is handed to", async () => {
    await replaceFile(scratch("file"), "new", { mode: 0o640, userId: 65_534, groupId: 1 });
    expect(statSync(scratch("file"))).toMatchObject({ uid: 65_534, gid: 1 });
    await replaceFile(scratch("file"), "new", { mode: 0o640, groupId: 2 });
    expect(statSync(scratch("file"))).toMatchObject({ uid: 0, gid: 2 });
  });

  test("takes the place of a link, whose target keeps its content", async () => {
    writeFileSync(scratch("target"), "precious");
    symlinkSync("target", scratch("file"));
    await replaceFile(scratch("file"), "new", PRIVATE);
    expect(lstatSync(scratch("file")).isFile()).toBe(true);
    expect(readFileSync(scratch("target"), "utf8")).toBe("precious");
  });

  test("is as private as it will be before its first byte is written, and invisible until it is whole", async () => {
    const file = await AtomicFile.create(scratch("file"), PRIVATE);
    const [temporary = "", ...others] = readdirSync(scratch());
    expect(others).toEqual([]);
    expect(modeOf(scratch(temporary))).toBe("600");
    await file.commit("whole");
    expect(readdirSync(scratch())).toEqual(["file"]);
  });

  test("that is abandoned leaves nothing, before or after", async () => {
    await (await AtomicFile.create(scratch("file"), PRIVATE)).abandon();
    expect(readdirSync(scratch())).toEqual([]);
    const file = await AtomicFile.create(scratch("file"), PRIVATE);
    await file.commit("text");
    await file.abandon();
    expect(readFileSync(scratch("file"), "utf8")).toBe("text");
  });

  test("that cannot take its place leaves what is there, and nothing beside it", async () => {
    mkdirSync(scratch("file", "below"), { recursive: true });
    await expect(replaceFile(scratch("file"), "new", PRIVATE)).rejects.toMatchObject({ code: "EISDIR" });
    expect(readdirSync(scratch())).toEqual(["file"]);
  });

  test("works in a directory that may be written but not listed", () => {
    mkdirSync(scratch("requests"), { mode: 0o300 });
    const path = JSON.stringify(scratch("requests", "file"));
    asAnotherUser(
      scratch("requests"),
      `import { replaceFile } from "SRC/host/atomic-file.ts";`,
      `replaceFile(${path}, "new", { mode: 0o600 })`,
    );
    expect(readFileSync(scratch("requests", "file"), "utf8")).toBe("new");
  });
});

describe("left-over temporary files", () => {
  test("of killed writers of this file are removed, and look-alikes are not", async () => {
    const left = [".file.tmp.1.0123456789ab", ".file.tmp.99999.ffffffffffff"];
    const kept = [
      ".file.tmp.",
      ".file.tmp.1.0123456789aB",
      ".file.tmp.1.0123456789abc",
      ".file.tmp.x.0123456789ab",
      ".other.tmp.1.0123456789ab",
      "file",
      "file.tmp.1.0123456789ab",
    ];
    for (const name of [...left, ...kept]) writeFileSync(scratch(name), "");
    mkdirSync(scratch(".file.tmp.2.0123456789ab"));
    symlinkSync("file", scratch(".file.tmp.3.0123456789ab"));
    await replaceFile(scratch("file"), "new", PRIVATE);
    expect(readdirSync(scratch()).sort()).toEqual(
      [...kept, ".file.tmp.2.0123456789ab", ".file.tmp.3.0123456789ab"].sort(),
    );
  });

  test("are recognised by the name that a writer really gives", async () => {
    await AtomicFile.create(scratch("file"), PRIVATE);
    expect(readdirSync(scratch())).toHaveLength(1);
    await replaceFile(scratch("file"), "new", PRIVATE);
    expect(readdirSync(scratch())).toEqual(["file"]);
  });
});
