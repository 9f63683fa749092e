/** Which entry refreshes the credentials, and which only has to do with them. */
import { describe, expect, test } from "vitest";
import { best, weigh } from "../../../src/adoption/evidence.ts";

const PAIR = { credentialsFile: "/opt/aws/session", roleName: "IdcRole", serial: "SN-1" };
const judged = (...commands: string[]) =>
  best(commands.map((command) => ({ command, evidence: weigh([command], PAIR) })));
const commands = (found: { command: string }[]) => found.map(({ command }) => command);

describe("what refreshes", () => {
  test.each([
    "get_sts_creds --role-arn arn:aws:iam::1:role/IdcRole --file /opt/aws/session",
    "aws sts assume-role --role-session-name SN-1 >/tmp/x",
    "python3 -c 'sts.assume_role(RoleArn=x)'",
    "new AssumeRoleCommand({})",
    "/opt/bin/closed-source --out /opt/aws/session",
    "sed -i s/a/b/ /etc/codedeploy-agent/conf/codedeploy.onpremises.yml",
  ])("%s", (command) => {
    expect(commands(judged(command, "/usr/bin/backup").refreshers)).toEqual([command]);
  });
});

test("a role of somebody else's, a check of the file and a backup are related, not refreshers", () => {
  const real = "aws sts assume-role --role-arn x > /opt/aws/session";
  const others = [
    "aws sts assume-role --role-arn backup && aws s3 sync",
    "find /opt/aws/session -mmin +60",
    "cp /etc/codedeploy-agent/conf/codedeploy.onpremises.yml /backup",
  ];
  const { refreshers, related } = judged(...others, real);
  expect(commands(refreshers)).toEqual([real]);
  expect(commands(related)).toEqual(others);
});

test("two entries of the same script are both refreshers", () => {
  const script = "assume-role /opt/aws/session";
  expect(judged(`${script} # hourly`, `${script} # at boot`).refreshers).toHaveLength(2);
});

test("a host's or a role's name alone means nothing", () => {
  expect(judged("rsync backup:/SN-1 IdcRole")).toEqual({ refreshers: [], related: [] });
});

test("what has assumed a role already is no verb", () => {
  expect(weigh(["grep assumed-role /var/log/x"], PAIR).score).toBe(0);
});
