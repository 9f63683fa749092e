/** The simulator with the real code in it, in one file: what that code asks of the host is replaced underneath. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const REPLACED = join(HERE, "replaced");
const SOURCE = join(HERE, "../../../src");

const BUILTINS: Readonly<Record<string, string>> = {
  "node:fs": "fs.ts",
  "node:fs/promises": "fs-promises.ts",
  "node:crypto": "crypto.ts",
  "node:os": "os.ts",
  "node:path": "path.ts",
  "node:timers/promises": "timers-promises.ts",
  "@aws-sdk/client-sts": "client-sts.ts",
};
const MODULES: Readonly<Record<string, string>> = {
  "host/kernel-file.ts": "kernel-file.ts",
  "host/lock.ts": "lock.ts",
  "host/read-file.ts": "read-file.ts",
  "host/systemd.ts": "systemd.ts",
  "agent/processes.ts": "processes.ts",
  "agent/control-group.ts": "control-group.ts",
  "aws/network.ts": "network.ts",
  "aws/shared-files.ts": "shared-files.ts",
  "aws/base-credentials.ts": "base-credentials.ts",
  "registration/clone.ts": "clone.ts",
  "report/status.ts": "status.ts",
  "refresher/alarm.ts": "alarm.ts",
  "refresher/child.ts": "child.ts",
};

/** Only for what the product's own code imports; the simulator itself has the real ones. */
const replacing: Plugin = {
  name: "replaced",
  setup({ onResolve }) {
    onResolve({ filter: /.*/ }, ({ path, importer }) => {
      if (!importer.startsWith(SOURCE)) return null;
      const builtin = BUILTINS[path];
      if (builtin !== undefined) return { path: join(REPLACED, builtin) };
      const module = path.startsWith(".") ? join(importer, "..", path).slice(SOURCE.length + 1) : "";
      const replacement = MODULES[module];
      return replacement === undefined ? null : { path: join(REPLACED, replacement) };
    });
  },
};

/** @returns the file, in `directory` */
export async function bundleSimulator(directory: string): Promise<string> {
  const outfile = join(directory, "worker.mjs");
  await build({
    entryPoints: [join(HERE, "worker.ts")],
    outfile,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    inject: [join(HERE, "globals.ts")],
    plugins: [replacing],
    define: { "import.meta.url": "__bundleUrl" },
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const __bundleUrl = import.meta.url; const require = __createRequire(__bundleUrl);',
    },
    logLevel: "warning",
  });
  return outfile;
}
