import type { SyncAnswer } from "../../agent/exchange.ts";
import type { Reading } from "../../agent/on-premises-config.ts";
import type { ProcessIdentity } from "../../agent/processes.ts";
import type { AgentService } from "../../agent/service.ts";
import { formatDuration } from "../../config/duration.ts";
import { readBootId } from "../../host/clock.ts";
import type { UnitProperties } from "../../host/systemd.ts";
import type { AgentStatus } from "../../report/status.ts";
import { type Finding, fail, left, pass, unseen, warn } from "../finding.ts";

/** Older ones lose the lifecycle event in hand at a graceful reload (FACTS). */
const LEAST_VERSION = [1, 6, 0] as const;
/** A file's time is coarser than a process's start. */
const SAME_MOMENT_MS = 2_000;

export function judgeVersion(version: string | null, isAbsent: boolean, register: string): Finding {
  if (version === null) {
    if (isAbsent)
      return fail("the CodeDeploy agent is not installed", { mend: [`${register} --install-agent`] });
    return left("which version it is cannot be seen: neither its version file nor rpm or dpkg tells");
  }
  const numbers = version.split(/[.-]/).map(Number);
  const at = LEAST_VERSION.findIndex((least, index) => (numbers[index] ?? 0) !== least);
  const isOld = at !== -1 && (numbers[at] ?? 0) < (LEAST_VERSION[at] ?? 0);
  if (!isOld) return pass(`version ${version}`);
  return warn(
    `version ${version}: before ${LEAST_VERSION.join(".")} a reload loses the lifecycle event in hand`,
    {
      advice: "Set agent.reload to never until it is replaced. An update stops what deployments started.",
      mend: ["yum install --assumeyes ruby", "/opt/codedeploy-agent/bin/install auto"],
    },
  );
}

export interface RunningFacts {
  unit: string;
  logFile: string;
  /** Whether worker after worker has died in the last minutes. */
  flaps: boolean;
}

export function judgeRunning(
  { state, detail, master, worker }: Pick<AgentService, "state" | "detail" | "master" | "worker">,
  { unit, logFile, flaps }: RunningFacts,
): Finding {
  const log = `tail -n 50 ${logFile}`;
  if (state === "masked")
    return fail(detail, { mend: [`systemctl unmask ${unit}`, `systemctl start ${unit}`] });
  if (state === "absent") return left(`not checked: ${detail}`);
  if (state === "unknown") return unseen(detail, {});
  if (state === "stopped" || state === "failed") {
    return fail(`it does not run (${detail})`, { mend: [`systemctl start ${unit}`, log] });
  }
  if (worker === null || master === null) {
    return fail(`${unit} is ${state}, but has no worker, so nothing is polled`, {
      mend: [log, `systemctl status ${unit}`],
    });
  }
  if (flaps) {
    return fail("its workers die one after another, so nothing is polled", {
      advice: "Its log says why; the usual reasons are its config and its credentials.",
      mend: [log],
    });
  }
  const note = detail === "" ? "" : ` (${detail})`;
  return pass(`process ${master.pid}, with worker ${worker.pid}${note}`);
}

export interface LoadedFacts {
  worker: ProcessIdentity;
  /** All by the wall clock. */
  workerStartedMs: number;
  configChangedMs: number | null;
  /** What the root oneshot saw last. */
  answer: SyncAnswer | null;
  /** What the service says of the agent; null where it says nothing. */
  agent: AgentStatus | null;
  unit: string;
}

export function judgeLoaded(facts: LoadedFacts): Finding {
  const { worker, workerStartedMs, configChangedMs, answer, agent, unit } = facts;
  const reload = { mend: [`systemctl reload ${unit}`] };
  const age = formatDuration(Math.max(0, Date.now() - workerStartedMs));
  const required = agent?.must_load ?? null;
  if (required !== null && workerStartedMs + SAME_MOMENT_MS < Date.parse(required.since)) {
    const why = `worker ${worker.pid} has not loaded the credentials of ${required.since}`;
    if (agent?.reload === "deferred" || agent?.reload === "under_way")
      return warn(`${why}; a reload is ${agent.reload.replace("_", " ")} (${agent.reload_detail})`, reload);
    return fail(why, { ...reload, advice: agent?.next_step ?? "" });
  }
  const isLate = configChangedMs !== null && workerStartedMs + SAME_MOMENT_MS < configChangedMs;
  if (isLate && !hasSeenSince(answer, worker, configChangedMs)) {
    const when = new Date(configChangedMs).toISOString();
    return fail(`its config was changed at ${when}, and worker ${worker.pid} started before`, reload);
  }
  if (answer?.reload.state === "failed" && answer.agent.workerPid === worker.pid)
    return fail(answer.reload.detail, { ...reload, advice: answer.reload.nextStep });
  return pass(`worker ${worker.pid} started ${age} ago, after everything it must have loaded`);
}

/** The oneshot compares what the file says, not when it was touched: its word counts. */
function hasSeenSince(answer: SyncAnswer | null, worker: ProcessIdentity, changedMs: number): boolean {
  if (answer === null || answer.bootId !== readBootId() || answer.agent.workerPid !== worker.pid)
    return false;
  const isSatisfied = answer.reload.state === "not_needed" || answer.reload.state === "done";
  return isSatisfied && Date.parse(answer.at) >= changedMs;
}

export function judgeDropIn(unit: UnitProperties, name: string): Finding {
  if (unit.get("LoadState") === "not-found") return left(`not checked: there is no unit ${name}`);
  const command = unit.get("ExecReload") ?? "";
  const isOurs = command.includes("/idc-codedeploy-helper/reload-agent");
  if (isOurs && unit.get("CanReload") === "yes") return pass("our drop-in is in force");
  const why = command === "" ? "it has no ExecReload=" : "its ExecReload= is somebody else's";
  return warn(`our drop-in is not in force: ${why}`, {
    advice: "See which drop-ins there are with the second command; another one may override ours.",
    mend: ["systemctl daemon-reload", `systemctl cat ${name}`],
  });
}

export function judgeConfig(file: string, reading: Reading, syncAgent: string): Finding {
  const mend = [syncAgent];
  if (reading.kind === "missing") return fail(`${file} does not exist`, { mend });
  if (reading.kind === "unreadable") return fail(`${file} cannot be read: ${reading.why}`, { mend });
  if (reading.differences.length === 0) return pass(file);
  const shown = reading.differences.map(({ key, found, wanted }) => {
    if (wanted === null) return `${key} must not be there`;
    return `${key} is ${found ?? "missing"}, wanted ${wanted}`;
  });
  return fail(`${file}: ${shown.join("; ")}`, { mend });
}
