/** The .deb on the Debian that it is for: installed with apt, registered, removed, purged. */
import { documentedCommands } from "../../harness/documented-commands.ts";
import { AgentOnHost } from "../agent-service.ts";
import { type Check, expectEqual, expectMatch } from "../checks.ts";
import { DAEMON, type Host } from "../host.ts";
import { ETC } from "../operator.ts";
import { InstalledHost, OUR_UNITS } from "./installed-host.ts";
import { PACKAGE, PLACE } from "./repository.ts";

export async function checkDebian(host: Host, check: Check): Promise<void> {
  const it = new InstalledHost(host, new AgentOnHost(host));
  const { agent, operator } = it;
  const { machine } = host;
  const apt = (...args: string[]) =>
    machine.sh(`DEBIAN_FRONTEND=noninteractive apt-get -y -o APT::Sandbox::User=root ${args.join(" ")} 2>&1`);

  await check("the README's way to install the .deb, and nothing starts", async () => {
    await machine.sh(`cd ${PLACE}; ${documentedCommands("README.md", "install-debian")}`);
    expectEqual(await host.property(DAEMON, "UnitFileState"), "disabled", "UnitFileState");
    expectEqual(await host.property(DAEMON, "ActiveState"), "inactive", "ActiveState");
  });

  await check("the .deb: register, and the agent polls", async () => {
    await operator.pointAtAws();
    await agent.place("root");
    expectMatch(await operator.register(), /worker \d+ polls as\s+arn:aws:sts/, "what register says");
    await it.deployApplication();
    await operator.must(["doctor"]);
  });

  await check(
    "the .deb: installed once more over itself, the service is restarted and the agent is not",
    async () => {
      const before = await agent.processes();
      const pid = await host.property(DAEMON, "MainPID");
      await apt("install", "--reinstall", `${PLACE}/${PACKAGE}_*.deb`);
      expectEqual((await host.property(DAEMON, "MainPID")) === pid, false, "whether it is the old process");
      expectEqual(await host.property(DAEMON, "SubState"), "running", "SubState");
      const after = await agent.look();
      expectEqual(
        `${after?.master} ${after?.worker}`,
        `${before.master} ${before.worker}`,
        "master and worker",
      );
      await it.expectNoHarm();
    },
  );

  await check("the .deb: removed, it leaves config and credentials; purged, nothing", async () => {
    await apt("remove", PACKAGE);
    for (const unit of OUR_UNITS) {
      expectEqual(await host.property(unit, "ActiveState"), "inactive", `ActiveState of ${unit}`);
    }
    expectMatch(
      await machine.sh(`ls ${ETC} /var/lib/${PACKAGE}`),
      /config\.yaml[\s\S]*credentials/,
      "what is left",
    );
    await apt("purge", PACKAGE);
    const left = await machine.exec("sh", "-c", `ls -d ${ETC} /var/lib/${PACKAGE}`);
    expectEqual(left.stdout, "", "what is left of a purge");
    await it.expectNoHarm();
  });
}
