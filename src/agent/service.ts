/**
 * The agent's service as it stands: what systemd says of the unit, and which processes are master and worker.
 *
 * `active` proves nothing about the worker (FACTS), and a SysV-generated unit has no main process at all, so the
 * processes themselves are looked at.
 */
import { errorText } from "../failure.ts";
import { isBootedWithSystemd, showUnit, type UnitProperties } from "../host/systemd.ts";
import { children, identify, isMaster, masterFromPidFile, type ProcessIdentity } from "./processes.ts";
import type { AgentSettings } from "./settings.ts";

export type ServiceState =
  | "running"
  | "starting"
  | "stopping"
  | "stopped"
  | "failed"
  | "masked"
  | "absent"
  | "unknown";

export interface AgentService {
  state: ServiceState;
  /** What a person should know beside the state; empty when there is nothing. */
  detail: string;
  /** Whether systemd keeps it; false for one that was started by hand or where there is no systemd. */
  isUnit: boolean;
  canReload: boolean;
  /** Somebody's reload is under way. */
  isReloading: boolean;
  controlGroup: string | null;
  invocationId: string | null;
  master: ProcessIdentity | null;
  /** The newest child of the master; null while it is being replaced. */
  worker: ProcessIdentity | null;
}

const PROPERTIES =
  "LoadState ActiveState SubState UnitFileState MainPID ControlGroup InvocationID CanReload Result".split(
    " ",
  );

export async function inspectService(unit: string, settings: AgentSettings): Promise<AgentService> {
  const byHand = () => withoutUnit(settings);
  if (!isBootedWithSystemd()) return byHand();
  let properties: UnitProperties;
  try {
    properties = await showUnit(unit, PROPERTIES);
  } catch (error) {
    const detail = `systemctl show ${unit} failed: ${errorText(error).split("\n")[0]}`;
    return { ...nothing("unknown", detail), isUnit: true };
  }
  if (properties.get("LoadState") === "not-found") {
    const service = byHand();
    return service.master === null
      ? nothing("absent", `there is no unit ${unit}: is the CodeDeploy agent installed?`)
      : service;
  }
  return withProcesses(interpretUnit(properties, unit), properties, settings);
}

type UnitState = Pick<AgentService, "state" | "detail">;

export function interpretUnit(properties: UnitProperties, unit: string): UnitState {
  const value = (key: string) => properties.get(key) ?? "";
  // Masked while it ran: it runs on, and only its start and its reload are refused.
  const isUp = ["active", "reloading"].includes(value("ActiveState"));
  if (value("LoadState") === "masked" && isUp)
    return { state: "running", detail: `${unit} is masked, but still runs` };
  if (value("LoadState") === "masked")
    return { state: "masked", detail: `${unit} is masked; systemctl unmask ${unit} undoes it` };
  if (value("LoadState") !== "loaded")
    return { state: "unknown", detail: `systemd could not load ${unit} (${value("LoadState")})` };
  switch (value("ActiveState")) {
    case "active":
    case "reloading":
    case "refreshing":
      return { state: "running", detail: "" };
    case "activating":
      return { state: "starting", detail: `${unit} is ${value("SubState")}` };
    case "deactivating":
      return { state: "stopping", detail: `${unit} is ${value("SubState")}` };
    case "failed":
      return { state: "failed", detail: `${unit} failed (${value("Result")}); see journalctl -u ${unit}` };
    case "inactive":
      return { state: "stopped", detail: `${unit} is stopped; systemctl start ${unit} starts it` };
    default:
      return { state: "unknown", detail: `${unit} is ${value("ActiveState")}` };
  }
}

function withProcesses(state: UnitState, properties: UnitProperties, settings: AgentSettings): AgentService {
  const text = (key: string) => properties.get(key) || null;
  const mainPid = Number(properties.get("MainPID") ?? 0);
  const unit = {
    ...nothing(state.state, state.detail),
    isUnit: true,
    // Our drop-in makes CanReload=yes of a masked unit, too, whose reload systemd then refuses.
    canReload: properties.get("CanReload") === "yes" && properties.get("LoadState") === "loaded",
    isReloading: properties.get("ActiveState") === "reloading",
    controlGroup: text("ControlGroup"),
    invocationId: text("InvocationID"),
  };
  if (state.state !== "running") return unit;
  const { programName, pidFile } = settings;
  const masterPid = isMaster(mainPid, programName) ? mainPid : masterFromPidFile(pidFile, programName);
  if (masterPid === null) return { ...unit, ...withoutMaster(mainPid, pidFile) };
  return { ...unit, ...family(masterPid) };
}

function withoutMaster(mainPid: number, pidFile: string): UnitState {
  // A SysV unit stays "active (exited)" when its daemon has died.
  if (mainPid === 0)
    return {
      state: "stopped",
      detail: `systemd takes it for running, but ${pidFile} names no living master`,
    };
  return {
    state: "starting",
    detail: `neither its main process ${mainPid} nor ${pidFile} is the agent's master so far`,
  };
}

function withoutUnit(settings: AgentSettings): AgentService {
  const masterPid = masterFromPidFile(settings.pidFile, settings.programName);
  if (masterPid === null) return nothing("stopped", `${settings.pidFile} names no living master`);
  return { ...nothing("running", ""), ...family(masterPid) };
}

function family(masterPid: number): Pick<AgentService, "master" | "worker"> {
  return { master: identify(masterPid), worker: children(masterPid)?.at(-1) ?? null };
}

function nothing(state: ServiceState, detail: string): AgentService {
  return {
    state,
    detail,
    isUnit: false,
    canReload: false,
    isReloading: false,
    controlGroup: null,
    invocationId: null,
    master: null,
    worker: null,
  };
}
