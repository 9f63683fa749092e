/** Reading what somebody else may have put in place. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { hashSecretFile, readBytes, readText, readTextIfPresent } from "../../../src/host/read-file.ts";
import { useScratchDirectory } from "./scratch-directory.ts";

const scratch = useScratchDirectory();
const limit = { maxBytes: 100 };
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "read",
    (error: NodeJS.ErrnoException) => error.code,
  );

describe("a file is read only if it is a regular one of its own", () => {
  test("a link is refused, and followed where that is asked for", async () => {
    writeFileSync(scratch("real"), "text");
    symlinkSync("real", scratch("link"));
    expect(await codeOf(readText(scratch("link"), limit))).toBe("ELOOP");
    expect(await readText(scratch("link"), { ...limit, followLink: true })).toBe("text");
  });

  test("a FIFO that nobody writes to does not make us wait, through a link either", async () => {
    execFileSync("mkfifo", [scratch("fifo")]);
    symlinkSync("fifo", scratch("link"));
    expect(await codeOf(readText(scratch("fifo"), limit))).toBe("ENOTREG");
    expect(await codeOf(readText(scratch("link"), { ...limit, followLink: true }))).toBe("ENOTREG");
  });

  test("a directory, a device and a socket are refused", async () => {
    mkdirSync(scratch("directory"));
    const server = createServer().listen(scratch("socket"));
    expect(await codeOf(readText(scratch("directory"), limit))).toBe("ENOTREG");
    expect(await codeOf(readText("/dev/zero", limit))).toBe("ENOTREG");
    // Not even opened, which would be ENXIO without a terminal: opening a watchdog reboots the host.
    expect(await codeOf(readText("/dev/tty", limit))).toBe("ENOTREG");
    symlinkSync("/dev/tty", scratch("device"));
    expect(await codeOf(readText(scratch("device"), { ...limit, followLink: true }))).toBe("ENOTREG");
    expect(await codeOf(readText(scratch("socket"), limit))).toBe("ENXIO");
    server.close();
  });

  test("a hard link is a file like any other", async () => {
    writeFileSync(scratch("one"), "text");
    linkSync(scratch("one"), scratch("two"));
    expect(await readText(scratch("two"), limit)).toBe("text");
  });
});

describe("no more is read than allowed", () => {
  test.each([
    [0, "read"],
    [99, "read"],
    [100, "read"],
    [101, "EFBIG"],
    [10_000_000, "EFBIG"],
  ])("%s bytes of 100: %s", async (size, result) => {
    writeFileSync(scratch("file"), "x".repeat(size));
    expect(await codeOf(readText(scratch("file"), limit))).toBe(result);
    if (result === "read") expect(await readText(scratch("file"), limit)).toHaveLength(size);
  });

  test("and a file whose size the kernel gives as 0 is read to its end", async () => {
    const whole = readFileSync("/proc/self/smaps", "utf8");
    expect(whole.length).toBeGreaterThan(10_000);
    const lines = (text: string) => text.split("\n").length;
    const read = await readText("/proc/self/smaps", { maxBytes: 16 * 1_024 * 1_024 });
    expect(lines(read)).toBeGreaterThan(lines(whole) / 2);
    expect(read.trimEnd()).toMatch(/VmFlags:[^\n]*$/);
  });
});

test("bytes are as they are on disk", async () => {
  const bytes = Buffer.from([0, 0xff, 0xfe, 0x0a, 0xef, 0xbb, 0xbf]);
  writeFileSync(scratch("file"), bytes);
  expect(await readBytes(scratch("file"), limit)).toEqual(bytes);
});

test("a file that is not there is null only where that is an answer", async () => {
  expect(await readTextIfPresent(scratch("none"), limit)).toBeNull();
  expect(await codeOf(readText(scratch("none"), limit))).toBe("ENOENT");
  writeFileSync(scratch("file"), "");
  expect(await codeOf(readTextIfPresent(scratch("file", "below"), limit))).toBe("ENOTDIR");
});

describe("the hash of a file with secrets", () => {
  test.each([0, 1, 16_384, 16_385, 100_000])("of %i bytes is that of its bytes", async (length) => {
    const bytes = Buffer.alloc(length, "secret");
    writeFileSync(scratch("file"), bytes);
    const wanted = createHash("sha256").update(bytes).digest("hex");
    expect(await hashSecretFile(scratch("file"), { maxBytes: 100_000 })).toBe(wanted);
  });

  test("is none for a link, a directory, or one that is too large", async () => {
    writeFileSync(scratch("file"), "12345");
    symlinkSync(scratch("file"), scratch("link"));
    await expect(hashSecretFile(scratch("link"), { maxBytes: 10 })).rejects.toMatchObject({ code: "ELOOP" });
    await expect(hashSecretFile(scratch(""), { maxBytes: 10 })).rejects.toMatchObject({ code: "ENOTREG" });
    await expect(hashSecretFile(scratch("file"), { maxBytes: 4 })).rejects.toMatchObject({ code: "EFBIG" });
  });
});
