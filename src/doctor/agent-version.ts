/** The version of the installed agent: its own file, else what the package manager says. */
import { existsSync } from "node:fs";
import { readAgentVersion } from "../agent/installation.ts";
import { outputOf } from "../host/program.ts";

const LIMIT_MS = 10_000;

const RPM = ["rpm", "--query", "--queryformat", "%{VERSION}", "codedeploy-agent"] as const;
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is dpkg-query's own placeholder.
const DPKG = ["dpkg-query", "--show", "--showformat", "${Version}", "codedeploy-agent"] as const;
/** Where rpm is only a guest: asked anything, it makes a database in root's home, and we change nothing. */
const DEBIAN = "/etc/debian_version";

/** @returns such as `1.8.1` or `1.8.1-36`; null where nothing tells */
export async function installedVersion(): Promise<string | null> {
  const own = await readAgentVersion();
  if (own !== null) return own;
  const [program, ...args] = existsSync(DEBIAN) ? DPKG : RPM;
  const said = await ask(program, args);
  return said !== null && /^\d+\.\d+/.test(said) ? said : null;
}

async function ask(program: string, args: readonly string[]): Promise<string | null> {
  try {
    return (await outputOf(program, args, { timeout: LIMIT_MS })).trim();
  } catch {
    return null;
  }
}
