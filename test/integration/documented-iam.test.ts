/** Each `idc-helper iam` that the documentation shows prints what it is shown for: it needs no account to be tried. */
import { describe, it } from "vitest";
import { PAGES } from "../harness/markdown.ts";
import { ScratchHost } from "../harness/scratch-host.ts";
import { typedCommands } from "../harness/typed-commands.ts";

const shown = PAGES.flatMap((page) => typedCommands(page))
  .filter(([program = "", command]) => /^(?:dist\/)?idc-helper$/.test(program) && command === "iam")
  .map(([, ...words]) => words.join(" "));

describe.concurrent("the documentation's", () => {
  // Without a bucket it is an option's name, not a command to type.
  const whole = [...new Set(shown)].filter((words) => words.includes("--bucket"));

  it.for(whole)("idc-helper %s", async (words, test) => {
    const host = new ScratchHost({ endpoint: "https://sts.example.com" });
    test.onTestFinished(() => host.close());
    const { code, stdout, stderr } = await host.command(...words.split(" "));
    test.expect(code, stderr).toBe(0);
    if (words.includes("--only profile")) test.expect(stdout).toMatch(/^\[default\]\ncredential_process = /);
    else test.expect(stdout).toContain("2012-10-17");
    if (words.includes("--format cloudformation"))
      test.expect(JSON.parse(stdout)).toHaveProperty("Resources");
  });
});
