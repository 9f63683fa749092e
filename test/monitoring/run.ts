/**
 * `make monitoring-test`: the alert rules by promtool, and a host that is watched by real Prometheus and node exporter
 * while it lives through outages, an hour in a minute. Prints a line for each check; exit status 1 when one failed.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { orSay, requireTools } from "../../packaging/tools.ts";
import { Tally } from "../readers/tally.ts";
import { checksInto } from "../systemd/checks.ts";
import { RSYSLOG, RULE_TESTS, RULES } from "./files.ts";
import { checkOutages } from "./outage.ts";

const run = promisify(execFile);

async function main(): Promise<void> {
  requireTools("The monitoring's tests", ["prometheus", "promtool", "prometheus-node-exporter", "rsyslogd"]);
  const tally = new Tally();
  const check = checksInto(tally, new AbortController().signal);
  const directory = mkdtempSync(join(tmpdir(), "idc-monitoring-"));
  const promtool = (...args: string[]) =>
    run("promtool", args, { cwd: dirname(RULES) }).catch((error: { stdout: string; stderr: string }) => {
      throw new Error(`${error.stdout}${error.stderr}`);
    });
  try {
    await check(
      "promtool takes the rules",
      async () => void (await promtool("check", "rules", basename(RULES))),
    );
    await check("each alert fires when it should and not before, and says what to do", async () => {
      await promtool("test", "rules", basename(RULE_TESTS));
    });
    await check("rsyslog takes the example for it", async () => {
      const { stderr } = await run("rsyslogd", ["-N1", "-f", RSYSLOG]);
      if (/error|warning/i.test(stderr)) throw new Error(stderr);
    });
    await checkOutages(directory, check);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  console.log(tally.summary());
  process.exitCode = tally.exitCode;
}

await orSay(main());
