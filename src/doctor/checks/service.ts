/** Our own units: enabled, not masked, running and not in a loop; and what the service itself reports. */

import { errorCode } from "../../failure.ts";
import type { UnitProperties } from "../../host/systemd.ts";
import type { Status } from "../../report/status.ts";
import { judge } from "../../report/status-text.ts";
import type { CheckGroup } from "../check.ts";
import { type Finding, fail, pass, warn } from "../finding.ts";
import { OUR_PATH_UNIT, OUR_UNIT } from "../host-facts.ts";

/** A restart now and then is an upgrade, or a crash that mended itself. */
const MANY_RESTARTS = 5;

export const service: CheckGroup = {
  group: "Service",
  checks: [
    {
      id: "service.enabled",
      title: "Starts with the host",
      run: async ({ host }) => judgeEnabled(await host.ourUnit(), OUR_UNIT),
    },
    {
      id: "service.active",
      title: "Runs",
      run: async ({ host }) => judgeActive(await host.ourUnit(), OUR_UNIT),
    },
    {
      id: "service.path",
      title: "Requests reach root",
      run: async ({ host }) => judgePathUnit(await host.ourPathUnit()),
    },
    {
      id: "service.status",
      title: "Reports that all is well",
      async run(examination) {
        const reading = await examination.host.status();
        const mend = [`systemctl restart ${OUR_UNIT}`];
        if ("unusable" in reading) return fail(reading.unusable, { mend });
        const { status } = reading;
        if (status === null) return fail("it has not reported since the boot", { mend });
        return judgeStatus(status, isAlive(status), Date.now());
      },
    },
  ],
};

export function judgeEnabled(unit: UnitProperties, name: string): Finding {
  const state = unit.get("UnitFileState") ?? "";
  if (unit.get("LoadState") === "not-found")
    return fail(`there is no unit ${name}`, { advice: "Install the package idc-codedeploy-helper again." });
  if (unit.get("LoadState") === "masked" || state.startsWith("masked")) {
    return fail(`${name} is masked: nothing can start it`, {
      mend: [`systemctl unmask ${name}`, `systemctl enable --now ${name}`],
    });
  }
  if (state === "enabled" || state === "static") return pass(`${name} is ${state}`);
  return fail(`${name} is ${state || "not enabled"}: after a reboot nothing renews the credentials`, {
    mend: [`systemctl enable ${name}`],
  });
}

export function judgeActive(unit: UnitProperties, name: string): Finding {
  const state = unit.get("ActiveState") ?? "";
  const restarts = Number(unit.get("NRestarts") ?? 0);
  const result = unit.get("Result") ?? "success";
  const journal = `journalctl -u ${name} -n 50`;
  if (state === "activating" && unit.get("SubState") === "auto-restart") {
    return fail(`it ends (${result}) and is restarted again and again, ${restarts} times so far`, {
      mend: [journal],
    });
  }
  if (state !== "active" && state !== "reloading" && state !== "activating") {
    const why = result === "success" ? "" : ` (${result}, exit status ${unit.get("ExecMainStatus") ?? "?"})`;
    return fail(`${name} is ${state || "not running"}${why}: nothing renews the credentials`, {
      mend: [`systemctl start ${name}`, journal],
    });
  }
  if (restarts >= MANY_RESTARTS)
    return warn(`it runs, and has been restarted ${restarts} times by systemd`, { mend: [journal] });
  return pass(`${name} is ${state}`);
}

export function judgePathUnit(unit: UnitProperties): Finding {
  if (unit.get("LoadState") === "masked" || unit.get("UnitFileState")?.startsWith("masked")) {
    return fail(`${OUR_PATH_UNIT} is masked: the agent is never reloaded`, {
      mend: [`systemctl unmask ${OUR_PATH_UNIT}`, `systemctl start ${OUR_PATH_UNIT}`],
    });
  }
  const state = unit.get("ActiveState") ?? "";
  if (state === "active") return pass(`${OUR_PATH_UNIT} is active`);
  return fail(
    `${OUR_PATH_UNIT} is ${state || "not there"}: the agent's config is not mended, and it is not reloaded`,
    {
      mend: [`systemctl reset-failed ${OUR_PATH_UNIT}`, `systemctl start ${OUR_PATH_UNIT}`],
    },
  );
}

export function judgeStatus(status: Status, isRunning: boolean, nowMs: number): Finding {
  const { level, summary } = judge(status, isRunning, nowMs);
  const advice =
    status.failure?.next_step ?? (status.agent.next_step || (status.warnings[0]?.next_step ?? ""));
  const mend = isRunning ? ["idc-helper status"] : [`systemctl start ${OUR_UNIT}`];
  if (level === 0) return pass(summary);
  return level === 1 ? warn(summary, { advice, mend }) : fail(summary, { advice, mend });
}

/** The pid alone could be another process's by now; a stopped service has said so itself. */
function isAlive({ state, pid }: Status): boolean {
  if (state === "stopped") return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}
