/** Root among another user's files: with that user's rights, and root's again afterwards. */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isRoot, NOBODY } from "../../harness/identity.ts";
import { underLimit } from "./another-user.ts";
import { useScratchDirectory } from "./scratch-directory.ts";

const scratch = useScratchDirectory();
const IMPORTS = `import { readFileSync } from "node:fs"; import { withRightsOf } from "SRC/host/privileges.ts";`;
const WHO = "[process.geteuid(), process.getegid(), process.getgroups()]";

function workIn(directory: string, work: string): unknown {
  return underLimit(
    IMPORTS,
    `(async () => { const before = ${WHO};
      const within = await withRightsOf(${JSON.stringify(directory)}, null, async () => ${work}).catch(({ code }) => code);
      return { before, within, after: ${WHO} }; })()`,
    "",
  );
}

test("what root may read and its owner may not is not read; afterwards root is root again, also after an error", () => {
  mkdirSync(scratch("theirs"));
  writeFileSync(scratch("secret"), "secret");
  chmodSync(scratch("secret"), 0o600);
  // The way there is open, so that only the file itself stands in it.
  chmodSync(scratch(), 0o755);
  if (isRoot) chownSync(scratch("theirs"), NOBODY.userId, NOBODY.groupId);
  const read = `readFileSync(${JSON.stringify(scratch("secret"))}, "utf8")`;
  const { before, within, after } = workIn(scratch("theirs"), read) as Record<string, unknown>;
  expect(within).toBe(isRoot ? "EACCES" : "secret");
  expect(after).toEqual(before);
  const there = workIn(scratch("theirs"), WHO) as { within: unknown };
  if (isRoot) expect(there.within).toEqual([NOBODY.userId, NOBODY.groupId, [NOBODY.groupId]]);
});

test("where the directory is root's, nothing changes", () => {
  mkdirSync(scratch("ours"));
  const { before, within } = workIn(scratch("ours"), WHO) as Record<string, unknown>;
  expect(within).toEqual(before);
});
