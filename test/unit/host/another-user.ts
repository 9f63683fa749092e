/**
 * Code of ours run in a process of its own, as a user whom file modes bind: nobody, where the tests are root's,
 * else the tests' own user.
 */
import { execFileSync } from "node:child_process";
import { chownSync } from "node:fs";
import { join } from "node:path";

const SRC = join(import.meta.dirname, "../../../src");
export const NOBODY = 65_534;

/**
 * @param directory handed to that user
 * @param imports import statements, in which `SRC` stands for the sources; done before root is given up
 * @param expression what to evaluate; a promise is awaited
 * @returns its value, by way of JSON
 */
export function asAnotherUser(directory: string, imports: string, expression: string): unknown {
  if (process.geteuid?.() === 0) chownSync(directory, NOBODY, NOBODY);
  const script = `${imports.replaceAll("SRC", SRC)}
    if (process.geteuid() === 0) { process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY}); }
    process.stdout.write(JSON.stringify((await (${expression})) ?? null));`;
  return JSON.parse(run(script, ""));
}

/** The same without giving root up: for what a limit of the kernel does, not a file's mode. */
export function underLimit(imports: string, expression: string, shell: string): unknown {
  const script = `${imports.replaceAll("SRC", SRC)}
    process.stdout.write(JSON.stringify((await (${expression})) ?? null));`;
  return JSON.parse(run(script, shell));
}

function run(script: string, shell: string): string {
  const node = [process.execPath, "--input-type=module", "-e", script];
  return execFileSync("/bin/sh", ["-c", `${shell} exec "$@"`, "sh", ...node], { cwd: "/", encoding: "utf8" });
}
