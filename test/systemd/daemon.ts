/** idc-codedeploy-helper.service: what systemd and the journal see of `run`. */
import { type Check, expectEqual, expectMatch, expectNoMatch } from "./checks.ts";
import { AGENT_CONFIG, DAEMON, type Host, ONESHOT, PATH_UNIT } from "./host.ts";
import { until } from "./until.ts";

const CONFIG = "/etc/idc-codedeploy-helper/config.yaml";
const BASE = "/etc/idc-codedeploy-helper/base-credentials";
/** Instead of two minutes; long enough for a service that is alive on a machine that is busy. */
const WATCHDOG_S = 15;
const UNITS =
  "idc-codedeploy-helper.service idc-codedeploy-helper-agent.path idc-codedeploy-helper-agent.service";

export async function checkDaemon(host: Host, check: Check): Promise<void> {
  const { machine } = host;

  await check("systemd finds nothing wrong with the units", async () => {
    const { code, output } = await machine.exec("sh", "-c", `systemd-analyze verify --man=no ${UNITS} 2>&1`);
    console.log(
      `      systemd-analyze verify: status ${code}, ${output.trim() === "" ? "nothing to say" : output.trim()}`,
    );
    expectEqual(`${code} ${output.trim()}`, "0 ", "status and output of systemd-analyze verify");
  });

  await check("a host that is not registered has an inactive service, not a failed one", async () => {
    await machine.sh(`mv ${CONFIG} ${CONFIG}.away; systemctl start ${DAEMON}`);
    expectEqual(await host.property(DAEMON, "ActiveState"), "inactive", "ActiveState");
    await machine.sh(`mv ${CONFIG}.away ${CONFIG}`);
  });

  await check(
    "a wrong configuration fails the service once, and it is not started again and again",
    async () => {
      await host.writeConfig("session_duration: for ever\n");
      await machine.exec("systemctl", "start", DAEMON);
      await host.waitForProperty(DAEMON, "ActiveState", "failed");
      expectEqual(await host.property(DAEMON, "ExecMainStatus"), "78", "ExecMainStatus");
      expectEqual(await host.property(DAEMON, "NRestarts"), "0", "NRestarts");
      await host.writeConfig();
      await machine.sh(`systemctl reset-failed ${DAEMON}`);
    },
  );

  await check("the service starts, unprivileged, and says so with READY", async () => {
    const { code, output } = await machine.exec("systemctl", "start", DAEMON);
    expectEqual(code, 0, "status of systemctl start", `${output}\n${await host.journal(DAEMON)}`);
    expectEqual(await host.property(DAEMON, "SubState"), "running", "SubState");
    const pid = await host.property(DAEMON, "MainPID");
    const status = await machine.sh(`cat /proc/${pid}/status`);
    expectNoMatch(status, /^Uid:\s+0/m, "the process's status");
    expectMatch(status, /^CapBnd:\s+0+$/m, "the process's status");
  });

  await check("the credentials lie where the agent reads them, private to their owner", async () => {
    const found = await machine.sh("stat -c '%U:%G %a' /var/lib/idc-codedeploy-helper/credentials");
    expectEqual(found, "idc-helper:idc-helper 600", "owner and mode");
  });

  await check("the service's request reaches root's oneshot, which answers it", async () => {
    const status = () => machine.sh("idc-helper status --json || true");
    await until(
      async () => /"answered_at": ?"20/.test(await status()),
      async () => `no answer:\n${await status()}\n${await host.journal(ONESHOT)}`,
    );
    const modes = await machine.sh(
      "stat -c '%U:%G %a' /run/idc-codedeploy-helper-agent /run/idc-codedeploy-helper-agent/requests",
    );
    expectEqual(modes, "root:root 755\nroot:idc-helper 730", "owners and modes");
  });

  await check(
    "an agent's config that is edited by hand is mended within seconds, without the service asking",
    async () => {
      const mended = async () => !/us-east-1/.test(await machine.sh(`cat ${AGENT_CONFIG}`));
      await until(
        async () => (await machine.exec("test", "-e", AGENT_CONFIG)).code === 0,
        () => "the agent's config was never written",
      );
      await host.breakAgentConfig();
      await until(mended, async () => `it was not mended:\n${await host.journal(ONESHOT)}`);
      expectEqual(await host.property(PATH_UNIT, "ActiveState"), "active", "the path unit's ActiveState");
    },
  );

  await check("a configuration that nobody has reloaded does not reach the agent by a drift", async () => {
    // A path unit does not see what changes while its service runs (FACTS, systemd).
    await host.waitForProperty(ONESHOT, "ActiveState", "inactive");
    const before = (await host.answer())?.at;
    await machine.sh(`sed -i 's/^region: .*/region: eu-west-1/' ${CONFIG}; echo >>${AGENT_CONFIG}`);
    const answer = await until(
      async () => {
        const now = await host.answer();
        return now !== null && now.at !== before && now.config.state === "unknown" ? now : null;
      },
      async () => `it is not put off:\n${JSON.stringify(await host.answer())}`,
    );
    expectMatch(answer.config.detail, /not in force/, "what is said of the agent's config");
    expectNoMatch(await machine.sh(`cat ${AGENT_CONFIG}`), /eu-west-1/, "the agent's config");
    await host.writeConfig();
  });

  await check("systemctl status shows how long the credentials last", async () => {
    const { stdout } = await machine.exec("systemctl", "status", "--no-pager", DAEMON);
    expectMatch(stdout, /Status: "Credentials last until \d\d:\d\d:\d\d/, "systemctl status");
  });

  await check("the service may be given its base credentials by systemd (LoadCredential=)", async () => {
    await machine.write(
      `/run/systemd/system/${DAEMON}.d/credential.conf`,
      "[Service]\nLoadCredential=base-credentials:/root/base-key\n",
    );
    await machine.sh(
      `install -m 0600 ${BASE} /root/base-key; mv ${BASE} ${BASE}.away
       systemctl daemon-reload; systemctl restart ${DAEMON}; idc-helper refresh`,
    );
    await machine.sh(
      `mv ${BASE}.away ${BASE}; rm /root/base-key /run/systemd/system/${DAEMON}.d/credential.conf
       systemctl daemon-reload; systemctl restart ${DAEMON}`,
    );
  });

  await check("systemctl reload re-reads the configuration, and the service stays up", async () => {
    const pid = await host.property(DAEMON, "MainPID");
    await host.writeConfig("log: { level: debug }\n");
    await machine.sh(`systemctl reload ${DAEMON}`);
    await waitForLine(host, "config_reloaded");
    await host.waitForProperty(DAEMON, "ActiveState", "active");
    expectEqual(await host.property(DAEMON, "MainPID"), pid, "MainPID");
  });

  await check(
    "a reload with a wrong configuration keeps the old one and is an error in the journal",
    async () => {
      await host.writeConfig("session_duration: for ever\n");
      await machine.sh(`systemctl reload ${DAEMON}`);
      await waitForLine(host, "config_rejected");
      await host.waitForProperty(DAEMON, "ActiveState", "active");
      await host.writeConfig();
    },
  );

  await check("journalctl -p warning shows the problems and nothing else of the service", async () => {
    const invocation = await host.property(DAEMON, "InvocationID");
    const lines = await machine.sh(
      `journalctl --no-pager --output=cat --priority=warning _SYSTEMD_INVOCATION_ID=${invocation}`,
    );
    expectMatch(lines, /^config_rejected /m, "the journal's warnings");
    expectNoMatch(lines, /^(started|refresh_succeeded|config_reloaded) ?|^<\d>/m, "the journal's warnings");
  });

  await check("a service that hangs is killed by the watchdog and comes back", async () => {
    await machine.write(
      `/run/systemd/system/${DAEMON}.d/watchdog.conf`,
      `[Service]\nWatchdogSec=${WATCHDOG_S}s\nRestartSec=1s\n`,
    );
    await machine.sh(`systemctl daemon-reload; systemctl restart ${DAEMON}`);
    const pid = await host.property(DAEMON, "MainPID");
    await machine.sh(`kill -s STOP ${pid}`);
    await host.waitForProperty(DAEMON, "NRestarts", "1");
    await host.waitForProperty(DAEMON, "SubState", "running");
    expectMatch(await host.journal(DAEMON), /Watchdog timeout/, "the journal");
  });

  await check("a service that is alive keeps the watchdog content", async () => {
    const before = await host.property(DAEMON, "WatchdogTimestampMonotonic");
    await until(
      async () =>
        Number(await host.property(DAEMON, "WatchdogTimestampMonotonic")) >
        Number(before) + 1.5 * WATCHDOG_S * 1e6,
      () => "no ping came",
    );
    expectEqual(await host.property(DAEMON, "NRestarts"), "1", "NRestarts");
  });

  await check("a service that is killed comes back, and its credentials were there all along", async () => {
    const credentials = "/var/lib/idc-codedeploy-helper/credentials";
    const before = await machine.sh(`sha256sum ${credentials}`);
    await machine.sh(`systemctl kill --signal=KILL ${DAEMON}`);
    await host.waitForProperty(DAEMON, "NRestarts", "2");
    await host.waitForProperty(DAEMON, "SubState", "running");
    expectEqual(await machine.sh(`sha256sum ${credentials}`), before, "the credentials file");
  });

  await check("a stop lets the refresh under way finish, and is told of no crash", async () => {
    const { faults, requests } = host.emulator;
    await machine.sh(`systemctl start ${DAEMON}`);
    const invocation = await host.property(DAEMON, "InvocationID");
    const { id } = faults.set({ match: { service: "sts" }, kind: "slow", delayMs: 5_000 });
    requests.clear();
    await machine.sh(`systemctl kill --kill-who=main --signal=USR2 ${DAEMON}`);
    await requests.waitFor(({ action }) => action === "AssumeRole");
    await machine.sh(`systemctl stop ${DAEMON}`);
    faults.clear(id);
    const lines = await machine.sh(`journalctl --no-pager --output=cat _SYSTEMD_INVOCATION_ID=${invocation}`);
    expectNoMatch(lines, /^refresh_failed /m, "the journal of a stop");
    expectMatch(
      lines,
      /^refresh_succeeded [^\n]*reason=asked[^\n]*\n(?:.*\n)*stopped /m,
      "the journal of a stop",
    );
    await machine.sh(`systemctl start ${DAEMON}`);
  });

  await check("a stop is clean, and leaves the credentials and a status that says stopped", async () => {
    await machine.sh(`systemctl stop ${DAEMON}`);
    expectEqual(await host.property(DAEMON, "Result"), "success", "Result");
    expectMatch(
      await machine.sh("cat /run/idc-codedeploy-helper/status.json"),
      /"state": "stopped"/,
      "status.json",
    );
    await machine.sh("test -s /var/lib/idc-codedeploy-helper/credentials");
  });
}

function waitForLine(host: Host, event: string): Promise<boolean> {
  return until(
    async () => new RegExp(`: ${event} `).test(await host.journal(DAEMON)),
    async () => `no ${event} in the journal:\n${await host.journal(DAEMON)}`,
  );
}
