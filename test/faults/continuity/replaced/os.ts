/** node:os as far as our clock uses it. */
import { host } from "../host.ts";
import { systemCall } from "../virtual-process.ts";

export { constants } from "node:os";

/** In seconds. /proc/uptime has two decimals. */
export function uptime(): number {
  systemCall();
  return Math.floor(host.bootMs / 10) / 100;
}
