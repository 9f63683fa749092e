/**
 * Names, as this host resolves them (files, DNS, SSSD). In a process of its own: Node's own look-ups share four threads
 * with all file access, and a resolver that hangs would stop every other check.
 */
import { execFile } from "node:child_process";
import { toolEnvironment } from "../host/tool-environment.ts";

const LIMIT_MS = 8_000;

/** @returns null where the name is not known, or nobody answers in time */
export function addressesOf(name: string): Promise<string[] | null> {
  return new Promise((resolve) => {
    const options = { timeout: LIMIT_MS, killSignal: "SIGKILL", env: toolEnvironment() } as const;
    execFile("getent", ["--", "ahosts", name], options, (error, stdout) => {
      const lines = stdout.split("\n").flatMap((line) => line.split(/\s+/)[0] || []);
      resolve(error !== null || lines.length === 0 ? null : [...new Set(lines)]);
    });
  });
}
