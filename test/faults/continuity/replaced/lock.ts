/** src/host/lock.ts on the virtual host: a lock that is gone with the process that holds it. */
import type * as original from "../../../../src/host/lock.ts";
import { host } from "../host.ts";
import { systemCall, type VirtualProcess } from "../virtual-process.ts";
import { running } from "../virtual-time.ts";

const holders = new WeakMap<object, Map<string, VirtualProcess | undefined>>();

/** Waiting would block the one thread that there is: whoever comes second is told so at once. */
export const acquireLock: typeof original.acquireLock = (path) => {
  systemCall();
  const locks = holders.get(host) ?? new Map<string, VirtualProcess | undefined>();
  holders.set(host, locks);
  if (locks.get(path)?.isAlive) return null;
  const holder = running.getStore();
  locks.set(path, holder);
  return {
    release: () => {
      if (locks.get(path) === holder) locks.delete(path);
    },
  };
};

export const readLockHolder: typeof original.readLockHolder = () => null;
