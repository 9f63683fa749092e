/** What the agent's log says of its polls: whose they are, and whether AWS refuses them. */
import { describe, expect, it } from "vitest";
import { parsePolls } from "../../../src/agent/agent-log.ts";
import { denialsAtTheEnd } from "../../../src/registration/see-agent-poll.ts";

const ARN = "arn:aws:sts::123456789012:assumed-role/Host/web-1";
const line = (pid: number, status: number, error = "", service = "CodeDeployCommand") =>
  `2026-01-31T09:00:45 ${status === 200 ? "INFO " : "ERROR"} [codedeploy-agent(${pid})]: [Aws::${service}::Client ${status} 45.33 0 retries] poll_host_command(host_identifier:"${ARN}") ${error}\n`;
const DENIED = "Aws::CodeDeployCommand::Errors::AccessDeniedException AccessDeniedException";

describe("parsePolls", () => {
  it("reads answers and refusals, of both endpoints, and passes other lines over", () => {
    const text = [
      "2026-01-31T09:00:00 INFO  [codedeploy-agent(7)]: master 7: Spawned child 1/1\n",
      line(8, 200),
      line(8, 400, "Aws::CodeDeployCommand::Errors::ExpiredTokenException The security token is expired"),
      "  from /opt/codedeploy-agent/lib/x.rb:1\n",
      line(9, 400, DENIED.replace("Command", "CommandSecure"), "CodeDeployCommandSecure"),
    ].join("");
    const common = { at: "2026-01-31T09:00:45", hostIdentifier: ARN };
    expect(parsePolls(text)).toEqual([
      { ...common, pid: 8, status: 200, error: null },
      { ...common, pid: 8, status: 400, error: "ExpiredTokenException" },
      { ...common, pid: 9, status: 400, error: "AccessDeniedException" },
    ]);
  });
});

describe("denialsAtTheEnd", () => {
  const count = (...lines: string[]) => denialsAtTheEnd(parsePolls(lines.join("")));
  const denied = line(8, 400, DENIED);
  const expired = line(8, 400, "Aws::CodeDeployCommand::Errors::ExpiredTokenException x");

  it("counts refusals in a row, up to the last poll", () => {
    expect(count()).toBe(0);
    expect(count(denied, denied, denied)).toBe(3);
    expect(count(denied, line(8, 200), denied)).toBe(1);
    expect(count(denied, denied, line(8, 200))).toBe(0);
  });

  it("counts nothing else as one: an expired token mends itself", () => {
    expect(count(expired, expired)).toBe(0);
    expect(count(denied, expired, denied, denied)).toBe(2);
  });
});
