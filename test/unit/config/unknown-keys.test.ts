/** Keys that this version does not know: an operator's typo, or a config of another version. */
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { formatIssue } from "../../../src/config/config-error.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { errorOf, issuesOf, load, withLines } from "./config-file.ts";

const scratch = useScratchDirectory();
const text = withLines(
  "colour: blue",
  "network:",
  "  proxi: x",
  "  proxy: http://proxy.example:3128",
  "log: { lvl: info }",
);

describe("unknown keys", () => {
  test("are errors in what an operator types, each with its line and the keys known there", async () => {
    const issues = await issuesOf(scratch("config.yaml"), text);
    expect(issues).toMatchObject([
      {
        line: 4,
        key: "colour",
        message: expect.stringMatching(/^unknown key; known here: serial, region, role_arn, /),
      },
      {
        line: 6,
        key: "network.proxi",
        message: "unknown key; known here: proxy, ca_bundle, connect_timeout, request_timeout",
      },
      { line: 8, key: "log.lvl", message: "unknown key; known here: level, format" },
    ]);
  });

  test("are warnings in the service, which goes on with the rest of the config", async () => {
    writeFileSync(scratch("config.yaml"), text);
    const { config, warnings } = await load(scratch("config.yaml"), { unknownKeys: "warn" });
    expect(config.network.proxy).toBe("http://proxy.example:3128");
    expect(config.log.level).toBe("info");
    expect(warnings.map(({ key }) => key).sort()).toEqual(["colour", "log.lvl", "network.proxi"]);
    expect(warnings.map(formatIssue).join()).toContain(`${scratch("config.yaml")}:4: colour: unknown key`);
  });

  test("do not hide a wrong value from the service", async () => {
    writeFileSync(scratch("config.yaml"), withLines("colour: blue", "log: { level: loud }"));
    const error = await errorOf(scratch("config.yaml"), { unknownKeys: "warn" });
    expect(error.issues.map(({ key }) => key)).toEqual(["log.level"]);
  });

  test("with names of JavaScript's own are unknown keys like any other", async () => {
    const issues = await issuesOf(scratch("config.yaml"), withLines("constructor: x", "toString: y"));
    expect(issues.map(({ key }) => key)).toEqual(["constructor", "toString"]);
  });
});
