/** What the pages tell an operator to type for watching a host, typed on a host that something has happened to. */
import { documentedCommands } from "../harness/documented-commands.ts";
import { metricValue } from "../harness/metrics-text.ts";
import type { AgentOnHost } from "./agent-service.ts";
import { type Check, expectEqual, expectMatch } from "./checks.ts";
import { DAEMON, type Host, ONESHOT } from "./host.ts";
import { BASE_FILE, ETC } from "./operator.ts";
import { until } from "./until.ts";

const TEXTFILES = "/var/lib/prometheus/node-exporter";
const METRICS = `${TEXTFILES}/idc_helper.prom`;
const DROP_IN = `/etc/systemd/system/${DAEMON}.d/metrics.conf`;

export async function checkRecipes(host: Host, agent: AgentOnHost, check: Check): Promise<void> {
  const { machine, emulator } = host;
  await host.writeConfig();
  await machine.write(`${ETC}/base-credentials`, BASE_FILE);
  await machine.sh(`chgrp idc-helper ${ETC}/base-credentials; chmod 0640 ${ETC}/base-credentials`);
  await agent.install("root");
  await machine.sh(`systemctl restart ${DAEMON}`);
  const plain = await machine.sh(`cat ${ETC}/config.yaml`);
  const metrics = async () => (await machine.exec("cat", METRICS)).stdout;
  const value = async (series: string) => metricValue(await metrics(), series);

  await check("docs/monitoring.md's way to metrics: the service writes them, in its sandbox", async () => {
    await machine.sh(`exec 2>&1; set -e; ${documentedCommands("docs/monitoring.md", "metrics")}`);
    await until(
      async () => (await value('state{state="fresh"}')) === 1,
      async () => `no fresh credentials in:\n${await metrics()}\n${await host.journal(DAEMON)}`,
    );
    const found = await machine.sh(`stat -c '%U:%G %a' ${METRICS} ${TEXTFILES}; ls -A ${TEXTFILES}`);
    expectEqual(
      found.trim(),
      "idc-helper:idc-helper 644\nroot:idc-helper 1775\nidc_helper.prom",
      "what is there",
    );
    await machine.sh(`setpriv --reuid=65534 --regid=65534 --clear-groups cat ${METRICS}`);
  });

  await check("docs/configuration.md's way to change the configuration", async () => {
    const typed = documentedCommands("docs/configuration.md", "config-changed");
    expectMatch(await machine.sh(`exec 2>&1; set -e; ${typed}`), /is valid/, "what check-config says");
  });

  await check(
    "without the drop-in: one warning that names the cause, and credentials all the same",
    async () => {
      await machine.sh(`mv ${DROP_IN} /root/; systemctl daemon-reload; systemctl restart ${DAEMON}`);
      await until(
        async () => /metrics_not_written/.test(await host.journal(DAEMON)),
        () => host.journal(DAEMON),
      );
      expectMatch(await host.journal(DAEMON), /metrics_not_written .*EROFS/, "the journal");
      expectMatch(await machine.sh("idc-helper refresh"), /./, "what refresh says");
      await machine.sh(
        `mv /root/metrics.conf ${DROP_IN}; systemctl daemon-reload; systemctl restart ${DAEMON}`,
      );
      await until(
        async () => (await value("running")) === 1,
        () => host.journal(DAEMON),
      );
    },
  );

  await check("each recipe for the journal finds what has happened to this host", async () => {
    emulator.faults.set({ match: { service: "sts" }, kind: "deny" });
    await machine.exec("idc-helper", "refresh");
    emulator.faults.clear();
    await host.forgetSyncs();
    await host.breakAgentConfig();
    // Also where the path unit has no eye on the config here.
    await machine.sh(`systemctl start ${ONESHOT}`);
    await machine.sh("idc-helper refresh; journalctl --sync");
    for (const [page, name] of [
      ["README.md", "watch"],
      ["docs/logs.md", "journal"],
    ] as const) {
      const lines = documentedCommands(page, name)
        .split("\n")
        .filter((line) => line.startsWith("journalctl"));
      for (const line of lines) {
        const { code, stdout, output } = await machine.exec("sh", "-c", `${line} --no-pager`);
        expectEqual(code, 0, `the status of ${line}`, output);
        if (line.includes("-u codedeploy-agent")) continue;
        expectMatch(stdout, /[^\n]/, `what ${line} prints`);
        expectEqual(/^-- No entries --/.test(stdout), false, `whether ${line} finds nothing`);
      }
    }
  });

  await check(
    "metrics taken out of the configuration: their file goes, and the service lives on",
    async () => {
      await machine.write(`${ETC}/config.yaml`, `${plain}\n`);
      await machine.sh(`systemctl reload ${DAEMON}`);
      await until(
        async () => (await machine.sh(`ls -A ${TEXTFILES}`)).trim() === "",
        () => host.journal(DAEMON),
      );
      expectEqual(await host.property(DAEMON, "SubState"), "running", "SubState");
      await machine.sh(`rm -r ${DROP_IN} ${TEXTFILES}; systemctl daemon-reload; systemctl stop ${DAEMON}`);
    },
  );
}
