/** The build from a tree that npm laid down without running any package's script, in a directory of its own. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../../../packaging/project.ts";
import { programText } from "./bundle.ts";

const run = promisify(execFile);
const LIMIT_MS = 300_000;

export interface Built {
  bundle: string;
  /** What the built command says of itself. */
  version: string;
  /** Whether npm had everything already; else it asked a registry. */
  isOffline: boolean;
}

/** @throws with what npm or the build said */
export async function buildElsewhere(directory: string, signal: AbortSignal): Promise<Built> {
  const copy = join(directory, "project");
  // What git knows, and not the tree that is installed here.
  const { stdout } = await run("git", ["ls-files", "-z", "--cached"], {
    cwd: ROOT,
    maxBuffer: 16 * 1_048_576,
  });
  for (const path of stdout.split("\0").filter(Boolean)) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(ROOT, path), join(copy, path));
  }
  const options = { cwd: copy, timeout: LIMIT_MS, maxBuffer: 16 * 1_048_576, signal };
  const install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const isOffline = await run("npm", [...install, "--offline"], options).then(
    () => true,
    () => false,
  );
  if (!isOffline) await run("npm", install, options);
  const built = await run("npm", ["run", "--silent", "build"], options);
  const bundle = programText(join(copy, "dist"));
  return { bundle, version: built.stdout.trim(), isOffline };
}
