/** src/agent/control-group.ts on the virtual host. */
import type * as original from "../../../../src/agent/control-group.ts";
import { host } from "../host.ts";
import { systemCall } from "../virtual-process.ts";

export const processesIn: typeof original.processesIn = () => {
  systemCall();
  return host.agent.groupPids;
};
