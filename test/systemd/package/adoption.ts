/** A host on the old cron pair, with its script run by a real cron's line: moved over with one command. */
import { AgentOnHost, UNIT } from "../agent-service.ts";
import { type Check, expectEqual, expectMatch, expectNoMatch } from "../checks.ts";
import { layCronPair } from "../cron-pair.ts";
import { AGENT_CONFIG, DAEMON, type Host } from "../host.ts";
import { InstalledHost } from "./installed-host.ts";
import { PACKAGE } from "./repository.ts";

const CRONTAB = "/var/spool/cron/crontabs/root";

export async function checkAdoption(host: Host, check: Check): Promise<void> {
  const it = new InstalledHost(host, new AgentOnHost(host));
  const { agent, operator } = it;
  const { machine } = host;

  await check("a host on the old cron pair deploys", async () => {
    await layCronPair(host);
    await agent.place("root");
    await machine.sh(`systemctl start ${UNIT}`);
    await agent.processes();
    await it.deployApplication();
  });

  await check("adopt: one command, with a deployment's application left alone", async () => {
    await it.dnf("install", PACKAGE);
    await operator.pointAtAws();
    const before = await agent.processes();
    const moved = new Date();
    await operator.must(["adopt", "--yes"]);
    await it.pollWithNewerThan(moved);
    expectEqual((await agent.processes()).master, before.master, "the master");
    expectEqual(await host.property(DAEMON, "SubState"), "running", "SubState");
    expectNoMatch(
      await machine.sh(`cat ${CRONTAB}`),
      /^[^#].*refresh\.sh/m,
      "what is in force in the crontab",
    );
    expectMatch(await machine.sh(`cat ${CRONTAB}`), /^5 4 \* \* \* \/usr\/bin\/true$/m, "the crontab");
    await operator.must(["doctor"]);
    await it.expectNoHarm();
  });

  await check("adopt --undo: the old pair works again, and nothing was hurt", async () => {
    await host.forgetSyncs();
    await operator.must(["adopt", "--undo", "--yes"]);
    expectMatch(await machine.sh("crontab -l"), /^\*\/30 .*refresh\.sh/m, "the crontab");
    expectMatch(await machine.sh(`cat ${AGENT_CONFIG}`), /session-credentials/, "the agent's config");
    expectEqual(await host.property(DAEMON, "ActiveState"), "inactive", "ActiveState");
    await it.expectNoHarm();
  });
}
