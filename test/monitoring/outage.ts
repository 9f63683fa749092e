/** A host that is watched: each alert fires in its trouble, says what it is, and resolves when the trouble is over. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEmulator } from "../aws-emulator/emulator.ts";
import type { Run } from "../harness/launch.ts";
import { scheduleFrom } from "../harness/schedule.ts";
import { ScratchHost, SERIAL } from "../harness/scratch-host.ts";
import { type Check, expectEqual, expectMatch } from "../systemd/checks.ts";
import { dashboardQueries, RULES } from "./files.ts";
import { Monitoring } from "./prometheus.ts";

/** An hour passes in a minute, for the host and for the rules. */
const FACTOR = 60;

export async function checkOutages(directory: string, check: Check): Promise<void> {
  const emulator = await startEmulator({ timeFactor: FACTOR });
  const textfiles = join(directory, "textfiles");
  mkdirSync(textfiles);
  const host = new ScratchHost({
    endpoint: emulator.url,
    timeFactor: FACTOR,
    config: `${scheduleFrom(30_000, 30, FACTOR)}metrics: { textfile: ${textfiles}/idc_helper.prom }\n`,
  });
  const rules = join(directory, "rules.yml");
  writeFileSync(rules, scaled(readFileSync(RULES, "utf8")));
  const monitoring = await Monitoring.start({ directory: join(directory, "prometheus"), textfiles, rules });
  let run: Run = host.startRun();

  try {
    await check("a host's metrics reach Prometheus through node exporter, with its serial", async () => {
      const [info] = await monitoring.waitFor("idc_helper_host_info");
      expectEqual(info?.metric.serial, SERIAL, "the serial");
      await monitoring.waitFor('idc_helper_state{state="fresh"} == 1');
      expectEqual((await monitoring.query("node_textfile_scrape_error == 1")).length, 0, "scrape errors");
    });

    await check("every query of the dashboard is one that Prometheus takes", async () => {
      for (const query of dashboardQueries()) await monitoring.query(query);
    });

    await check(
      "STS is down: the alerts fire before the credentials have expired, and resolve after",
      async () => {
        emulator.faults.set({ match: { service: "sts" }, kind: "error-503-html" });
        await host.command("refresh");
        const failing = await monitoring.fires("IdcHelperRefreshFailing");
        expectMatch(
          failing.annotations.summary ?? "",
          /no new credentials for ten minutes, \d+ attempts/,
          "it",
        );
        const expiring = await monitoring.fires("IdcHelperCredentialsExpiring");
        expectEqual(expiring.labels.severity, "critical", "its severity");
        emulator.faults.clear();
        await monitoring.resolves("IdcHelperCredentialsExpiring");
        await monitoring.resolves("IdcHelperRefreshFailing");
        await monitoring.waitFor('idc_helper_state{state="fresh"} == 1');
      },
    );

    await check(
      "the role's trust is taken away: the alert names it, and is gone when it is given back",
      async () => {
        emulator.faults.set({ match: { service: "sts" }, kind: "deny" });
        process.kill(run.pid, "SIGUSR2");
        const alert = await monitoring.fires("IdcHelperNeedsAPerson");
        expectEqual(alert.labels.kind, "denied", "the kind");
        emulator.faults.clear();
        await monitoring.resolves("IdcHelperNeedsAPerson");
      },
    );

    await check("the service dies without a word: told by the refresh that does not come", async () => {
      await run.kill();
      await monitoring.fires("IdcHelperNotRefreshed");
      run = host.startRun();
      await monitoring.resolves("IdcHelperNotRefreshed");
      // From 0 again, which increase() takes for a restart and not for fewer failures.
      const [failed] = await monitoring.waitFor('sum(idc_helper_refreshes_total{result="failed"}) == 0');
      expectEqual(failed?.value[1], "0", "the failures counted since the start");
      const [increase] = await monitoring.query(
        'sum(increase(idc_helper_refreshes_total{result="failed"}[5m])) > 0',
      );
      expectEqual(increase === undefined, false, "whether the failures before are forgotten");
    });

    await check(
      "the service is stopped: said as that, and the file goes with the key in the config",
      async () => {
        expectEqual(await run.stop(), 0, "the exit status");
        await monitoring.fires("IdcHelperStopped");
        run = host.startRun();
        await monitoring.resolves("IdcHelperStopped");
        host.writeConfig(readFileSync(host.configFile, "utf8").replace(/^metrics: .*\n/m, ""));
        process.kill(run.pid, "SIGHUP");
        await monitoring.fires("IdcHelperHostAbsent");
      },
    );
  } finally {
    await monitoring.stop();
    await host.close();
    await emulator.close();
  }
}

/** The rules at the host's pace: each duration and each `minutes * 60`. */
export function scaled(rules: string): string {
  const seconds = { s: 1, m: 60, h: 3_600, d: 86_400 };
  return rules
    .replace(
      /(\bfor: |\[)(\d+)([smhd])\b/g,
      (_, before: string, count: string, unit: keyof typeof seconds) => {
        return `${before}${Math.ceil((Number(count) * seconds[unit]) / FACTOR)}s`;
      },
    )
    .replace(/ \* 60\b/g, ` * ${60 / FACTOR}`);
}
