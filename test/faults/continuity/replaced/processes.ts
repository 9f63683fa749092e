/** src/agent/processes.ts on the virtual host. */
import type * as original from "../../../../src/agent/processes.ts";
import { host } from "../host.ts";
import { systemCall } from "../virtual-process.ts";

export const identify: typeof original.identify = (pid) => {
  systemCall();
  const { master, worker } = host.agent;
  if (master?.pid === pid) return master;
  return worker?.pid === pid ? { pid, startTicks: worker.startTicks } : null;
};

export const isAlive: typeof original.isAlive = ({ pid, startTicks }) =>
  identify(pid)?.startTicks === startTicks;

export const startedBootMs: typeof original.startedBootMs = ({ startTicks }) => startTicks * 10;

export const children: typeof original.children = (pid) => {
  systemCall();
  const { master, worker } = host.agent;
  if (master?.pid !== pid) return null;
  return worker === null ? [] : [{ pid: worker.pid, startTicks: worker.startTicks }];
};

export const isMaster: typeof original.isMaster = (pid) => host.agent.master?.pid === pid;

export const masterFromPidFile: typeof original.masterFromPidFile = () => host.agent.master?.pid ?? null;
