/** The agent's service in each state in which an operator may have left it: reported, and left so. */
import { type AgentOnHost, UNIT } from "./agent-service.ts";
import { type Check, expectEqual, expectMatch } from "./checks.ts";
import type { Host } from "./host.ts";

export async function checkServiceStates(host: Host, agent: AgentOnHost, check: Check): Promise<void> {
  const { machine } = host;
  const expectState = async (state: string, detail: RegExp) => {
    const answer = await host.request();
    expectEqual(answer.agent.state, state, "the agent's state", JSON.stringify(answer.agent));
    expectMatch(answer.agent.detail, detail, "the detail");
    expectEqual(answer.reload.state, state === "running" ? "not_needed" : "not_running", "the reload");
  };

  await check("a host without the agent is told so", async () => {
    await agent.remove();
    await expectState("absent", /is the CodeDeploy agent installed/);
  });

  await check(
    "an agent that was stopped by hand stays stopped, with its config mended all the same",
    async () => {
      await agent.install("root");
      await machine.sh(`systemctl stop ${UNIT}`);
      await host.breakAgentConfig();
      const answer = await host.request();
      expectEqual(answer.config.state, "repaired", "the config");
      await expectState("stopped", /is stopped; systemctl start/);
      expectEqual(await host.property(UNIT, "ActiveState"), "inactive", "ActiveState");
    },
  );

  await check("an agent that failed is reported as failed, and not started", async () => {
    await agent.dropIn("fails", "[Service]\nExecStart=\nExecStart=/bin/false\n");
    await machine.exec("systemctl", "start", UNIT);
    await expectState("failed", /failed \(exit-code\); see journalctl/);
    expectEqual(await host.property(UNIT, "ActiveState"), "failed", "ActiveState");
  });

  await check("an agent that is masked is reported as masked", async () => {
    await agent.remove();
    await machine.sh(`systemctl mask --quiet ${UNIT}`);
    await expectState("masked", /systemctl unmask/);
  });

  await check("an agent that was masked while it ran is reloaded all the same", async () => {
    const before = await agent.install("root");
    await machine.sh(`rm /etc/systemd/system/${UNIT}; systemctl mask --quiet ${UNIT}`);
    await host.breakAgentConfig();
    const answer = await host.request();
    expectEqual(answer.agent.detail, `${UNIT} is masked, but still runs`, "the detail");
    await agent.successorOf(before);
    await machine.sh(`systemctl unmask --quiet ${UNIT}; kill ${before.master}`);
  });
}
