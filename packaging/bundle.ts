/**
 * Lays a directory out as /usr/libexec/idc-codedeploy-helper is: the command, the parts of the program, the Node that we ship, and
 * the one native addon. Says what went into the bundle, for licences and SBOM.
 */
import { chmodSync, copyFileSync, linkSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";
import { layDownAddon } from "./addon.ts";
import { nodeRuntime } from "./node-runtime.ts";
import { knownFacts, PARTS, separateParts } from "./parts.ts";
import { ROOT, type Target } from "./project.ts";

/** @param forPackage as the package has it: what is built does not depend on what else is installed here */
export async function layOut(directory: string, target: Target, forPackage = false): Promise<Metafile> {
  mkdirSync(directory, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: Object.entries(PARTS).map(([out, module]) => ({ in: module, out })),
    outdir: directory,
    outExtension: { ".js": ".cjs" },
    plugins: [separateParts(), knownFacts()],
    bundle: true,
    platform: "node",
    // Of ES modules, and only of them, what nobody calls is left out: half of the SDK.
    mainFields: ["module", "main"],
    target: "node24",
    format: "cjs",
    // The SDK's `await import("node:http")` would build an ESM facade that pulls undici in; as a require it is a
    // quarter faster cold (docs/dependencies.md).
    supported: { "dynamic-import": false },
    external: ["node-unix-socket-*", "*.node"],
    // Lines are kept: a stack trace in a bug report must be readable.
    minifySyntax: true,
    // What ES modules ask of `import.meta.url` has no meaning in a CommonJS bundle; node-cron asks at load.
    define: { "import.meta.url": "__bundleUrl" },
    banner: { js: 'const __bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
    legalComments: "none",
    sourcemap: false,
    metafile: true,
    logLevel: "warning",
  });
  copyOnce(join(await nodeRuntime(target), "bin/node"), join(directory, "node"));
  layDownAddon(join(directory, "node_modules"), target, forPackage);
  writeFileSync(join(directory, "idc-helper"), COMMAND);
  chmodSync(join(directory, "idc-helper"), 0o755);
  return metafile;
}

const COMMAND = `#!/bin/sh
# The command: our own Node, whatever the host has. /usr/bin/idc-helper is a link to this file.
# No core file, whatever the shell allows: what is in memory is secret. Not for good: an installer may want one.
ulimit -S -c 0 2>/dev/null
self=$0
[ -L "$self" ] && self=$(readlink -f "$self")
dir=\${self%/*}
# A process that lasts is to stay small: little room for what is new, and what a refresh leaves behind is collected.
[ "$1" = run ] && exec "$dir/node" --max-semi-space-size=1 --optimize-for-size --expose-gc "$dir/idc-helper.cjs" "$@"
exec "$dir/node" "$dir/idc-helper.cjs" "$@"
`;

/** Node is 127 MB: linked where the file system allows it. */
function copyOnce(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
  chmodSync(target, 0o755);
}
