/** What stands in the place of a file of the kernel is read without harm, whatever it is. */
import { execFileSync } from "node:child_process";
import { truncateSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readBootId } from "../../../src/host/clock.ts";
import { readKernelFile } from "../../../src/host/kernel-file.ts";
import { useScratchDirectory } from "./scratch-directory.ts";

const scratch = useScratchDirectory();

test("the boot has an id, which does not change while it lasts", () => {
  expect(readBootId()).toMatch(/^[0-9a-f-]{36}$/);
  expect(readBootId()).toBe(readBootId());
});

test.each(["/dev/zero", "/dev/full", "/", "/nonexistent"])(
  "%s in the place of the boot id is no id",
  (path) => {
    expect(readBootId(path)).toBe("unknown");
  },
);

test("gigabytes in the place of the boot id take no memory, and a FIFO there waits for nobody", () => {
  writeFileSync(scratch("large"), "x");
  truncateSync(scratch("large"), 4 * 1_024 ** 3);
  expect(readBootId(scratch("large"))).toBe("unknown");
  execFileSync("mkfifo", [scratch("fifo")]);
  expect(readBootId(scratch("fifo"))).toBe("unknown");
});

test("a line is read without the white space around it, up to the bound and not beyond", () => {
  writeFileSync(scratch("line"), " 0123456789\n");
  expect(readKernelFile(scratch("line"), { maxBytes: 12 })).toBe("0123456789");
  expect(readKernelFile(scratch("line"), { maxBytes: 11 })).toBeNull();
});
