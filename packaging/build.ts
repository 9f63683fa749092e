/**
 * Lays out `dist/` as /usr/libexec/idc-codedeploy-helper is: the command, the bundle, the Node that we ship, and
 * the one native addon.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
const arch = process.env.IDC_BUILD_ARCH ?? process.arch;
const addon = `node-unix-socket-linux-${arch}-gnu`;
const dist = join(root, "dist");
/** Built aside and swapped in whole, so that a test that runs `dist/idc-helper` never finds half of it. */
const staging = join(root, `.dist.${process.pid}`);

rmSync(staging, { recursive: true, force: true });
mkdirSync(staging);
await build({
  entryPoints: [join(root, "src/main.ts")],
  outfile: join(staging, "idc-helper.cjs"),
  bundle: true,
  platform: "node",
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
  logLevel: "warning",
  // The addon's loader tries every platform's file beside itself before the packages: none is there, by design.
  logOverride: { "require-resolve-not-external": "silent" },
});

const resolve = createRequire(join(root, "package.json")).resolve;
copyOnce(join(dirname(resolve(`node-linux-${arch}/package.json`)), "bin/node"), join(staging, "node"));
const from = dirname(resolve(`${addon}/package.json`));
cpSync(from, join(staging, "node_modules", addon), { recursive: true });

writeFileSync(
  join(staging, "idc-helper"),
  `#!/bin/sh
# The command: our own Node, whatever the host has. /usr/bin/idc-helper is a link to this file.
self=$0
[ -L "$self" ] && self=$(readlink -f "$self")
dir=\${self%/*}
exec "$dir/node" "$dir/idc-helper.cjs" "$@"
`,
);
chmodSync(join(staging, "idc-helper"), 0o755);
rmSync(dist, { recursive: true, force: true });
renameSync(staging, dist);
if (arch === process.arch) process.stdout.write(execFileSync(join(dist, "idc-helper"), ["version"]));

/** Node is 127 MB: linked where the file system allows it. */
function copyOnce(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
  chmodSync(target, 0o755);
}
