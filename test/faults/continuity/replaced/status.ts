/**
 * src/report/status.ts: how things stand is for people and monitoring, and nothing in the simulator reads it. Writing it
 * counts as one system call.
 */
import { systemCall } from "../virtual-process.ts";

export const STATUS_SCHEMA = 1;

export class StatusWriter {
  async write(): Promise<void> {
    systemCall();
  }
}
