/** src/host/systemd.ts on the virtual host, for the one unit that is asked about: the agent's. */
import type * as original from "../../../../src/host/systemd.ts";
import { host } from "../host.ts";
import { systemCall } from "../virtual-process.ts";

export { systemctlMessage } from "../../../../src/host/systemd.ts";

const ACTIVE = { running: "active", stopped: "inactive", failed: "failed" } as const;

export const isBootedWithSystemd: typeof original.isBootedWithSystemd = () => true;

export const showUnit: typeof original.showUnit = async () => {
  systemCall();
  const { state, masterPid } = host.agent;
  return new Map([
    ["LoadState", "loaded"],
    ["ActiveState", ACTIVE[state]],
    ["SubState", state],
    ["UnitFileState", "enabled"],
    ["MainPID", state === "running" ? String(masterPid) : "0"],
    ["ControlGroup", "/system.slice/codedeploy-agent.service"],
    ["InvocationID", String(masterPid)],
    ["CanReload", "yes"],
    ["Result", "success"],
  ]);
};

export const systemctl: typeof original.systemctl = async (_limitMs, verb) => {
  systemCall();
  if (verb === "reload") host.reloadAgent();
  if (verb === "restart") host.restartAgent();
  return "";
};
