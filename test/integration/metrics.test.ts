/** The metrics file as node exporter would find it, of a service that runs: right, whole, and never in the way. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { metricValue, parseMetrics } from "../harness/metrics-text.ts";
import { openScene, type TestContext } from "../harness/scene.ts";
import { quietSchedule } from "../harness/schedule.ts";

const FACTOR = 60;

async function open(test: TestContext, { directory = true } = {}) {
  const scene = await openScene(test, { timeFactor: FACTOR, config: quietSchedule(FACTOR) });
  const { host } = scene;
  const place = join(host.directory, "textfile");
  const file = join(place, "idc_helper.prom");
  if (directory) mkdirSync(place);
  const plain = readFileSync(host.configFile, "utf8");
  host.addConfig(`metrics: { textfile: ${file} }\n`);
  const text = () => {
    try {
      return readFileSync(file, "utf8");
    } catch {
      return "";
    }
  };
  /** Waits until a series has a value; every text on the way must be whole. */
  const metric = (series: string, fits: (value: number) => boolean) =>
    eventually(
      () => {
        const found = metricValue(text(), series);
        return found !== undefined && fits(found) ? text() : undefined;
      },
      () => `${series} never fitted; the file: ${text()}`,
    );
  return { ...scene, place, file, plain, text, metric };
}

const ISSUED = 'refreshes_total{result="issued",kind="none"}';
const DENIED = 'refreshes_total{result="failed",kind="denied"}';

describe.concurrent("the metrics file", () => {
  it("says when the credentials expire, as the status does, and is readable by everyone", async (test) => {
    const { host, file, place, metric } = await open(test);
    host.startRun();
    const text = await metric('state{state="fresh"}', (value) => value === 1);
    const expiry = metricValue(text, "credentials_expiry_timestamp_seconds");
    const { credentials, serial } = await host.waitForStatus(({ state }) => state === "fresh", "credentials");
    test.expect(expiry).toBe(Math.round(Date.parse(credentials?.expires_at ?? "") / 1_000));
    test.expect(metricValue(text, ISSUED)).toBe(1);
    test.expect(text).toContain(`serial="${serial}"`);
    test.expect(statSync(file).mode & 0o777).toBe(0o644);
    test.expect(readdirSync(place)).toEqual(["idc_helper.prom"]);
  });

  it("counts an outage by its kind, names it while it lasts, and drops the name when it ends", async (test) => {
    const { emulator, host, metric, text } = await open(test);
    const run = host.startRun();
    await metric(ISSUED, (value) => value === 1);
    const fault = emulator.faults.set({ kind: "deny", match: { service: "sts" } });
    process.kill(run.pid, "SIGUSR2");
    await metric(DENIED, (value) => value >= 1);
    test.expect(metricValue(text(), 'refresh_failing{kind="denied"}')).toBe(1);
    test.expect(metricValue(text(), "refresh_failures_in_a_row")).toBeGreaterThanOrEqual(1);
    emulator.faults.clear(fault.id);
    process.kill(run.pid, "SIGUSR2");
    await metric(ISSUED, (value) => value >= 2);
    test.expect(text()).not.toContain("idc_helper_refresh_failing");
    test.expect(metricValue(text(), "refresh_failures_in_a_row")).toBe(0);
    test.expect(metricValue(text(), DENIED)).toBeGreaterThanOrEqual(1);
  });

  it("counts from 0 after a restart, and says that nothing runs after a stop", async (test) => {
    const { host, metric, text } = await open(test);
    const run = host.startRun();
    await metric(ISSUED, (value) => value === 1);
    await run.stop();
    test.expect(metricValue(text(), "running")).toBe(0);
    test.expect(metricValue(text(), 'state{state="stopped"}')).toBe(1);
    host.startRun();
    await metric("running", (value) => value === 1);
    test.expect(metricValue(text(), ISSUED)).toBe(0);
  });

  it("that cannot be written is one warning, and credentials come all the same; then it is there", async (test) => {
    const { host, place, file, metric } = await open(test, { directory: false });
    const run = host.startRun();
    await run.waitForLog("metrics_not_written");
    for (const count of [1, 2]) {
      process.kill(run.pid, "SIGUSR2");
      await run.waitForLog("refresh_succeeded", count + 1);
    }
    test.expect(run.lines("metrics_not_written")).toHaveLength(1);
    test.expect(run.lines("metrics_not_written")[0]).toMatch(new RegExp(`${file}.*ENOENT`));
    mkdirSync(place);
    await metric(ISSUED, (value) => value >= 3);
    rmSync(place, { recursive: true });
    process.kill(run.pid, "SIGUSR2");
    await run.waitForLog("metrics_not_written", 2);
  });

  it("goes when the config names none any more, and the service lives on", async (test) => {
    const { host, place, plain, metric } = await open(test);
    const run = host.startRun();
    await metric(ISSUED, (value) => value === 1);
    host.writeConfig(plain);
    process.kill(run.pid, "SIGHUP");
    await run.waitForLog("config_reloaded");
    await eventually(
      () => readdirSync(place).length === 0,
      () => `still there: ${readdirSync(place)}`,
    );
    host.addConfig(`metrics: { textfile: ${place}/other.prom }\n`);
    process.kill(run.pid, "SIGHUP");
    await eventually(
      () =>
        readdirSync(place).join() === "other.prom" &&
        parseMetrics(readFileSync(`${place}/other.prom`, "utf8")),
      () => `there: ${readdirSync(place)}`,
    );
    test.expect(await run.stop()).toBe(0);
  });
});
