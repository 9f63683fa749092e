/** A host's life on a real systemd: from nothing to deployable with one command, and back. */
import { SERIAL, SESSION_ARN } from "../harness/scratch-host.ts";
import { type AgentOnHost, UNIT } from "./agent-service.ts";
import { type Check, expectEqual, expectMatch } from "./checks.ts";
import { AGENT_CONFIG, DAEMON, type Host, REGION } from "./host.ts";
import { BASE_FILE, ETC, Operator, REGISTER } from "./operator.ts";

export async function checkHostLife(host: Host, agent: AgentOnHost, check: Check): Promise<void> {
  const { machine, emulator } = host;
  const operator = new Operator(host);
  const instance = () => emulator.instances.list().find(({ name }) => name === SERIAL);

  /** Nothing of us, and the agent stopped; the config as a configuration management would leave it. */
  const makeBare = async (flavour: "root" | "codedeploy") => {
    // What the stand-in agent's own set-up starts the service with.
    await host.writeConfig();
    await machine.write(`${ETC}/base-credentials`, BASE_FILE);
    await machine.sh(`chgrp idc-helper ${ETC}/base-credentials; chmod 0640 ${ETC}/base-credentials`);
    await agent.install(flavour);
    await machine.sh(
      `systemctl stop ${UNIT} ${DAEMON}; systemctl reset-failed ${DAEMON} || true
       rm -rf ${ETC}/* ${AGENT_CONFIG} /var/lib/idc-codedeploy-helper/* /run/idc-codedeploy-helper/*
       rm -rf /etc/systemd/system/${DAEMON}.d; systemctl daemon-reload`,
    );
    emulator.instances.remove(REGION, SERIAL);
    await operator.pointAtAws();
  };

  await check(
    "a bare host is registered with one command: service enabled, agent started and polling",
    async () => {
      await makeBare("root");
      expectMatch(await operator.register(), /worker \d+ polls as\s+arn:aws:sts/, "what register says");
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
    expectMatch(await operator.must(REGISTER), /Nothing had to be changed/, "what register says");
    expectEqual(await host.property(DAEMON, "MainPID"), before, "MainPID");
  });

  await check("deregister takes it all back, and leaves the agent running", async () => {
    const before = await host.property(UNIT, "MainPID");
    await operator.must(["deregister", "--yes"]);
    expectEqual(instance()?.deregisteredAt === null, false, "still registered");
    expectEqual(await host.property(DAEMON, "ActiveState"), "inactive", "ActiveState");
    expectEqual(await host.property(DAEMON, "UnitFileState"), "disabled", "UnitFileState");
    expectEqual((await machine.sh(`ls ${ETC}`)).trim(), "", `what is left in ${ETC}`);
    expectEqual(await host.property(UNIT, "MainPID"), before, "the agent's MainPID");
  });

  await check("an agent that is not root gets a group that may read its credentials, and polls", async () => {
    await makeBare("codedeploy");
    expectMatch(await operator.register(), /worker \d+ polls as\s+arn:aws:sts/, "what register says");
    const found = await machine.sh("stat -c '%U:%G %a' /var/lib/idc-codedeploy-helper/credentials");
    expectEqual(found.trim(), "idc-helper:codedeploy 640", "owner and mode of the credentials file");
    await operator.must(["deregister", "--yes"]);
    expectEqual(
      (await machine.sh(`cat /etc/systemd/system/${DAEMON}.d/* 2>/dev/null || true`)).trim(),
      "",
      "drop-ins",
    );
  });
}
