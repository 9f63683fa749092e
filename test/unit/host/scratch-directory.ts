/** A directory of each test's own, gone after it. */
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
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  return (...names) => join(directory, ...names);
}
