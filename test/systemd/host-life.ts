/** A host's life on a real systemd: from nothing to deployable with one command, and back. */
import { BASE_KEY, OPERATOR_KEY, ROLE_ARN } from "../aws-emulator/emulator.ts";
import { SERIAL, SESSION_ARN } from "../harness/scratch-host.ts";
import { type AgentOnHost, UNIT } from "./agent-service.ts";
import { type Check, expectEqual, expectMatch } from "./checks.ts";
import { AGENT_CONFIG, DAEMON, type Host } from "./host.ts";

const REGION = "ap-northeast-2";
const ETC = "/etc/idc-codedeploy-helper";
const OPERATOR = [
  `AWS_ACCESS_KEY_ID=${OPERATOR_KEY.accessKeyId}`,
  `AWS_SECRET_ACCESS_KEY=${OPERATOR_KEY.secretAccessKey}`,
  "HOME=/root",
];
const REGISTER = [
  "register",
  "--serial",
  SERIAL,
  "--region",
  REGION,
  "--role-arn",
  ROLE_ARN,
  "--tag",
  "Name=web",
];

export async function checkHostLife(host: Host, agent: AgentOnHost, check: Check): Promise<void> {
  const { machine, emulator } = host;
  const helper = (args: readonly string[], input = "") =>
    machine.run(["idc-helper", ...args], { env: OPERATOR, input });
  const instance = () => emulator.instances.list().find(({ name }) => name === SERIAL);

  await check(
    "a bare host is registered with one command: service enabled, agent started and polling",
    async () => {
      await agent.install("root");
      await machine.sh(
        `systemctl stop ${UNIT} ${DAEMON}; systemctl reset-failed ${DAEMON} || true
       rm -rf ${ETC}/* ${AGENT_CONFIG} /var/lib/idc-codedeploy-helper/* /run/idc-codedeploy-helper/*`,
      );
      emulator.instances.remove(REGION, SERIAL);
      // As a configuration management would leave it: what is the company's, and nothing of this host.
      await machine.write(
        `${ETC}/config.yaml`,
        `# of the company\nendpoints: { sts: "${emulator.url}", codedeploy: "${emulator.url}" }\n`,
      );
      const key = `[default]\naws_access_key_id = ${BASE_KEY.accessKeyId}\naws_secret_access_key = ${BASE_KEY.secretAccessKey}\n`;
      const { code, output } = await helper([...REGISTER, "--base-credentials", "-"], key);
      expectEqual(code, 0, "status of register", output);
      expectMatch(output, /worker \d+ polls as\s+arn:aws:sts/, "what register says");
      expectEqual(instance()?.iamSessionArn ?? "", SESSION_ARN, "the registered ARN");
      expectEqual(await host.property(DAEMON, "UnitFileState"), "enabled", "UnitFileState");
      expectEqual(await host.property(DAEMON, "SubState"), "running", "SubState");
      expectEqual(await host.property(UNIT, "ActiveState"), "active", "the agent's ActiveState");
    },
  );

  await check("its files have the owners and modes that keep the base key from everyone else", async () => {
    const found = await machine.sh(
      `stat -c '%n %U:%G %a' ${ETC}/base-credentials ${ETC}/config.yaml ${ETC}/registration.json`,
    );
    expectEqual(
      found.trim(),
      `${ETC}/base-credentials root:idc-helper 640\n${ETC}/config.yaml root:root 644\n${ETC}/registration.json root:root 644`,
      "owners and modes",
    );
  });

  await check("registering again changes nothing and says so", async () => {
    const before = await host.property(DAEMON, "MainPID");
    const { code, output } = await helper(REGISTER);
    expectEqual(code, 0, "status of register", output);
    expectMatch(output, /Nothing had to be changed/, "what register says");
    expectEqual(await host.property(DAEMON, "MainPID"), before, "MainPID");
  });

  await check("deregister takes it all back, and leaves the agent running", async () => {
    const before = await host.property(UNIT, "MainPID");
    const { code, output } = await helper(["deregister", "--yes"]);
    expectEqual(code, 0, "status of deregister", output);
    expectEqual(instance()?.deregisteredAt === null, false, "still registered");
    expectEqual(await host.property(DAEMON, "ActiveState"), "inactive", "ActiveState");
    expectEqual(await host.property(DAEMON, "UnitFileState"), "disabled", "UnitFileState");
    expectEqual((await machine.sh(`ls ${ETC}`)).trim(), "", `what is left in ${ETC}`);
    expectEqual(await host.property(UNIT, "MainPID"), before, "the agent's MainPID");
  });
}
