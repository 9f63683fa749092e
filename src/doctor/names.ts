/**
 * Names, as this host resolves them (files, DNS, SSSD). In a process of its own: Node's own look-ups share four threads
 * with all file access, and a resolver that hangs would stop every other check.
 */
import { outputOf } from "../host/program.ts";

const LIMIT_MS = 8_000;

/** @returns null where the name is not known, or nobody answers in time */
export async function addressesOf(name: string): Promise<string[] | null> {
  try {
    const said = await outputOf("getent", ["--", "ahosts", name], { timeout: LIMIT_MS });
    const addresses = said.split("\n").flatMap((line) => line.split(/\s+/)[0] || []);
    return addresses.length === 0 ? null : [...new Set(addresses)];
  } catch {
    return null;
  }
}
