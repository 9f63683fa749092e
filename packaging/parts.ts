/**
 * The files that the program is made of. A process loads the parts that it needs and no other: what lies in a file that
 * `run` has loaded it holds for as long as the host is up, its text included, and what a refresh loads it must parse.
 */
import { join, relative } from "node:path";
import type { Plugin } from "esbuild";
import { ROOT, VERSION } from "./project.ts";

/**
 * Part to the module that it begins with. Whoever imports that module, from whatever other part, has a `require` of the
 * part in its place; all else is bundled into each part that imports it.
 */
export const PARTS: Readonly<Record<string, string>> = {
  "idc-helper": "src/main.ts",
  // By its class everybody knows an error of ours: there must be one of it in a process.
  failure: "src/failure.ts",
  "command-line": "src/command-line.ts",
  run: "src/commands/run.ts",
  refresh: "src/commands/refresh.ts",
  status: "src/commands/status.ts",
  "check-config": "src/commands/check-config.ts",
  "sync-agent": "src/commands/sync-agent.ts",
  operator: "src/commands/operator.ts",
  config: "src/config/load.ts",
  providers: "src/aws/providers.ts",
};

const PART_OF = new Map(Object.entries(PARTS).map(([part, module]) => [module, part]));

export function separateParts(): Plugin {
  return {
    name: "parts",
    setup: (build) => {
      build.onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, resolveDir, kind }) => {
        if (kind === "entry-point") return null;
        const part = PART_OF.get(relative(ROOT, join(resolveDir, path)));
        return part === undefined ? null : { path: `./${part}.cjs`, external: true };
      });
    },
  };
}

/** In place of modules that are known, at the build, to come to less here. */
export function knownFacts(): Plugin {
  return {
    name: "known facts",
    setup: (build) => {
      // The addon's loader has Node write a whole diagnostic report to find out about musl, and tries files beside
      // itself. What we ship is one file, for this architecture and glibc.
      build.onLoad({ filter: /node-unix-socket\/js\/addon\.js$/ }, () => ({
        contents: "module.exports = require('node-unix-socket-linux-' + process.arch + '-gnu');",
      }));
      // Of which src/version.ts takes one line.
      build.onLoad({ filter: /\/package\.json$/ }, ({ path }) =>
        path === join(ROOT, "package.json")
          ? { loader: "json", contents: JSON.stringify({ version: VERSION }) }
          : null,
      );
      for (const { module, importer, instead } of UNUSED) {
        build.onResolve({ filter: module }, ({ importer: from }) =>
          importer.test(from) ? { path: instead, namespace: "unused" } : null,
        );
      }
      build.onLoad({ filter: /.*/, namespace: "unused" }, ({ path }) => ({ contents: path }));
    },
  };
}

/** What the SDK loads at once, or carries along, and none of our calls comes to. */
const UNUSED: readonly { module: RegExp; importer: RegExp; instead: string }[] = [
  // Our clients are always given their credentials (src/aws/client.ts); who wants the chain asks for it by name.
  {
    module: /^@aws-sdk\/credential-provider-node$/,
    importer: /@aws-sdk\/client-(sts|codedeploy)\/dist-/,
    instead: 'exports.defaultProvider = () => { throw new Error("a client without credentials"); };',
  },
  // The handler for HTTP/2, which AWS's streaming services speak and ours do not.
  {
    module: /^(node:)?http2$/,
    importer: /@smithy\/node-http-handler\//,
    instead: "exports.constants = {};",
  },
  // Answers that are streams of events: neither STS nor CodeDeploy has any.
  {
    module: /^@smithy\/core\/event-streams$/,
    importer: /@smithy\/core\/dist-/,
    instead: "module.exports = {};",
  },
  // node-cron's tasks in processes of their own, and the names of tasks: we only ask when an expression matches.
  { module: /^child_process$/, importer: /node-cron\//, instead: "module.exports = {};" },
  {
    module: /^(node:)?crypto$/,
    importer: /node-cron\//,
    instead: "exports.randomUUID = () => crypto.randomUUID();",
  },
  // Knows browsers by the names they give themselves.
  { module: /^bowser$/, importer: /@aws-sdk\/core\//, instead: "module.exports = {};" },
];
