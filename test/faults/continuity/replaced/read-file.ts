/**
 * src/host/read-file.ts on the virtual disk, where nothing is a link or a device: opening, reading and closing is one
 * system call. A process killed between them leaves nothing else behind than one killed before them.
 */
import { createHash } from "node:crypto";
import type * as original from "../../../../src/host/read-file.ts";
import { host } from "../host.ts";
import { systemCall } from "../virtual-process.ts";

export class UnsafeFileError extends Error {}

export const readBytes: typeof original.readBytes = async (path) => {
  systemCall();
  return host.disk.get(path).content;
};

export const readText: typeof original.readText = async (path) => {
  systemCall();
  return host.disk.get(path).content.toString("utf8");
};

export const readTextIfPresent: typeof original.readTextIfPresent = async (path) => {
  systemCall();
  return host.disk.find(path)?.content.toString("utf8") ?? null;
};

export const hashSecretFile: typeof original.hashSecretFile = async (path) => {
  systemCall();
  return createHash("sha256").update(host.disk.get(path).content).digest("hex");
};
