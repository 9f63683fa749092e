/** Files that doctor and refresh read, made so that going through them takes for ever. */
import { describe, expect, test } from "vitest";
import { parsePolls } from "../../../src/agent/agent-log.ts";
import { renderProfile } from "../../../src/credentials/profile-file.ts";
import { findDenials } from "../../../src/doctor/audit-log.ts";
import { findProfile } from "../../../src/doctor/profile-text.ts";
import { SECTION, SESSION } from "../credentials/samples.ts";

/** Far more than is needed, and far less than what was wrong took. */
const LIMIT_MS = 60_000;
const many = (piece: string, bytes = 250_000) => piece.repeat(bytes / piece.length);
const GOOD =
  '2026-11-28T02:00:45 INFO  [codedeploy-agent(4711)]: [Aws::CodeDeployCommand::Client 200 45.33 0 retries] poll_host_command(host_identifier:"arn")';

describe("what is slow to no end with a careless pattern", { timeout: LIMIT_MS }, () => {
  test.each(["x A [\n", "x A [a(1)]: [Aws::CodeDeployCommand::Client 200 \n", "x  \n", " ", "\n"])(
    "the agent's log full of %j",
    (piece) => {
      expect(parsePolls(`${many(piece)}\n${GOOD}\n`)).toMatchObject([{ pid: 4711, hostIdentifier: "arn" }]);
    },
  );

  test("an audit log's line of braces", () => {
    const line = `type=AVC msg=audit(1790000000.1:1): denied idc-helper ${many("{ ")}{ read } for comm="x"`;
    expect(findDenials(line, 0)).toEqual(["x may not read ? (?)"]);
  });

  test.each([
    `[${many(" ")}`,
    `[a${many(" ")}`,
    `[profile${many(" ")}`,
    `x${many(" ")}`,
    `x = ${many(" ")}y`,
  ])("a line of spaces in the credentials file: %.10j", (line) => {
    expect(renderProfile(`${line}\n`, "default", SESSION)).toBe(`${line}\n${SECTION}`);
    expect(renderProfile(`[default]\n${line}\n`, "default", SESSION)).toContain(SECTION);
    expect(findProfile(`[default]\na = b\n${line}\n`, "default")?.get("a")).toBe("b");
  });
});
