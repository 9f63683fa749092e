/**
 * The README's terminal sessions are what the program prints. Times and process ids differ from run to run and are
 * left out of the comparison. `IDC_TEST_RECORD=1` records them anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { recordedDoctor, recordedRegister } from "../harness/recorded-sessions.ts";
import type { TestContext } from "../harness/scene.ts";

const README = new URL("../../README.md", import.meta.url);

const SESSIONS: Record<string, (context: TestContext) => Promise<string>> = {
  register: recordedRegister,
  doctor: recordedDoctor,
};

function blockOf(name: string): RegExp {
  return new RegExp(`(<!-- session: ${name} -->\\n+\`\`\`console\\n)([\\s\\S]*?)(\`\`\`\\n)`);
}

/** What no two runs have in common. */
function comparable(session: string): string {
  return session
    .replace(/ +\d+\.\d s$/gm, " N s")
    .replace(/\b(worker|process|pid|master)( \(?)\d+/g, "$1$2N")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, "INSTANT")
    .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b/g, "DATE")
    .replace(/\b\d+(?: s| ms| min| h)\b(?: \d+ (?:s|min)\b)?/g, "DURATION")
    .replace(/\s+/g, " ");
}

describe("the README's session of", () => {
  test.each(Object.keys(SESSIONS))("%s is what the program prints", async (name) => {
    const ends: (() => Promise<void>)[] = [];
    try {
      const printed = await SESSIONS[name]?.({ onTestFinished: (end) => ends.push(end) });
      if (process.env.IDC_TEST_RECORD) {
        const text = readFileSync(README, "utf8");
        writeFileSync(
          README,
          text.replace(blockOf(name), (_, head, __, tail) => `${head}${printed}${tail}`),
        );
      }
      const shown = blockOf(name).exec(readFileSync(README, "utf8"))?.[2];
      expect(comparable(shown ?? "(no such block)")).toBe(comparable(printed ?? ""));
    } finally {
      for (const end of ends.reverse()) await end();
    }
  });
});
