/** The version of the installed agent: its own file, else what the package manager says. */
import { execFile } from "node:child_process";
import { readAgentVersion } from "../agent/installation.ts";

const LIMIT_MS = 10_000;

const ASKED: readonly (readonly [string, ...string[]])[] = [
  ["rpm", "--query", "--queryformat", "%{VERSION}", "codedeploy-agent"],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is dpkg-query's own placeholder.
  ["dpkg-query", "--show", "--showformat", "${Version}", "codedeploy-agent"],
];

/** @returns such as `1.8.1` or `1.8.1-36`; null where nothing tells */
export async function installedVersion(): Promise<string | null> {
  const own = await readAgentVersion();
  if (own !== null) return own;
  for (const [program, ...args] of ASKED) {
    const said = await ask(program, args);
    if (said !== null && /^\d+\.\d+/.test(said)) return said;
  }
  return null;
}

function ask(program: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, [...args], { timeout: LIMIT_MS, killSignal: "SIGKILL" }, (error, stdout) => {
      resolve(error === null ? stdout.trim() : null);
    });
  });
}
