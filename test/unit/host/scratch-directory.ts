/** A directory of each test's own, gone after it. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

/** @returns the path of a name in the directory of the test that is running */
export function useScratchDirectory(): (...names: string[]) => string {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "idc-unit-"));
    // Other users may pass through it to what a test hands them.
    chmodSync(directory, 0o711);
  });
  afterEach(() => {
    try {
      rmSync(directory, { recursive: true, force: true });
    } catch {
      // A test has closed a part of it, and its user is not root.
      execFileSync("chmod", ["-R", "u+rwX", directory]);
      rmSync(directory, { recursive: true, force: true });
    }
  });
  return (...names) => join(directory, ...names);
}
