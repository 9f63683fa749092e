/**
 * The one staging tree that RPM and .deb are made from: every file where a host has it, with its final mode, and
 * nothing that differs between two builds of one commit.
 */
import { execFile } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Metafile } from "esbuild";
import { layOut } from "./bundle.ts";
import { bundledPackages } from "./bundled-packages.ts";
import { programFacts } from "./commands.ts";
import { bashCompletion, zshCompletion } from "./completions.ts";
import { licenceOf, licenceTexts, thirdPartyLicences } from "./licences.ts";
import { writeManPages } from "./man-pages.ts";
import { lockedPackage, nodeRuntime } from "./node-runtime.ts";
import { BUILD, LIBEXEC, NAME, ROOT, sourceDateEpoch, type Target } from "./project.ts";
import { billOfMaterials } from "./sbom.ts";
import { crossTool } from "./tools.ts";

const run = promisify(execFile);

export interface Staging {
  directory: string;
  metafile: Metafile;
}

/** What an operator on a host without internet looks up; the journal's catalog points at events.md, the messages at others. */
const DOCUMENTS = [
  "README.md",
  "CHANGELOG.md",
  "docs/base-credentials.md",
  "docs/events.md",
  "docs/monitoring.md",
  "docs/package.md",
  "docs/status.schema.json",
  "docs/troubleshooting.md",
];

/** Bytes go into place by a path relative to the tree's root; directories come with them. */
type Put = (path: string, content: string | Buffer, mode?: number) => void;

/** @param directory made anew */
export async function stage(directory: string, target: Target): Promise<Staging> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const put: Put = (path, content, mode = 0o644) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
    chmodSync(join(directory, path), mode);
  };
  const metafile = await stageRuntime(directory, target);
  put(`${LIBEXEC}/reload-agent`, source("systemd/reload-agent"), 0o755);
  mkdirSync(join(directory, "usr/bin"), { recursive: true });
  symlinkSync(`../${LIBEXEC.replace(/^usr\//, "")}/idc-helper`, join(directory, "usr/bin/idc-helper"));
  stageUnits(put);
  put(`etc/${NAME}/config.yaml.example`, source("config/config.yaml"));
  stageCompletions(put);
  writeManPages(join(directory, "usr/share/man"));
  await stageDocuments(put, metafile, target);
  settle(directory);
  return { directory, metafile };
}

/** The directory a target's tree is laid down in. */
export function stagingDirectory({ rpm }: Target): string {
  return join(BUILD, "staging", rpm);
}

async function stageRuntime(directory: string, target: Target): Promise<Metafile> {
  // Aside, because what is linked there must not be stripped in place: it is npm's own file.
  const plain = `${directory}.plain`;
  rmSync(plain, { recursive: true, force: true });
  const metafile = await layOut(plain, target, true);
  const strip = crossTool("strip", target);
  for (const path of filesBelow(plain)) {
    const [from, to] = [join(plain, path), join(directory, LIBEXEC, path)];
    mkdirSync(dirname(to), { recursive: true });
    if (isElf(from)) await run(strip, ["--strip-all", "--remove-section=.comment", "-o", to, from]);
    else copyFileSync(from, to);
    const isProgram = path === "node" || path === "idc-helper" || path.endsWith(".node");
    chmodSync(to, isProgram ? 0o755 : 0o644);
  }
  rmSync(plain, { recursive: true });
  return metafile;
}

function stageUnits(put: Put): void {
  const systemd = join(ROOT, "systemd");
  const places: readonly [RegExp, string][] = [
    [/^(sysusers|tmpfiles)\.d\/|^system-preset\//, ""],
    [/^[^/]+\.(service|path)$|^codedeploy-agent\.service\.d\//, "system/"],
    [/^(catalog\/)?[^/]+\.catalog$/, "catalog/"],
  ];
  for (const path of filesBelow(systemd)) {
    const [, folder] = places.find(([pattern]) => pattern.test(path)) ?? [];
    if (folder === undefined) {
      if (path !== "reload-agent")
        throw new Error(`systemd/${path}: packaging/staging.ts does not know its place`);
      continue;
    }
    const inFolder = folder === "catalog/" ? path.replace(/^catalog\//, "") : path;
    // systemd reads sysusers.d and tmpfiles.d beside its own directory.
    const below = /^(sysusers|tmpfiles)\.d\//.test(path) ? "usr/lib" : "usr/lib/systemd";
    put(`${below}/${folder}${inFolder}`, source(`systemd/${path}`));
  }
}

function stageCompletions(put: Put): void {
  const facts = programFacts();
  put("usr/share/bash-completion/completions/idc-helper", bashCompletion(facts));
  put("usr/share/zsh/site-functions/_idc-helper", zshCompletion(facts));
}

async function stageDocuments(put: Put, metafile: Metafile, target: Target): Promise<void> {
  const doc = `usr/share/doc/${NAME}`;
  for (const file of DOCUMENTS) put(`${doc}/${file.replace(/^docs\//, "")}`, source(file));
  const packages = bundledPackages(metafile);
  put(`${doc}/${NAME}.cdx.json`, `${JSON.stringify(billOfMaterials(packages, target), null, 1)}\n`);
  const { version } = lockedPackage(`node_modules/node-linux-${target.node}`);
  const node = {
    title: `Node.js ${version} (MIT), with what it contains`,
    texts: licenceTexts(await nodeRuntime(target)),
  };
  if (node.texts.length === 0) throw new Error("Node's own licence file is missing");
  const licences = `usr/share/licenses/${NAME}`;
  put(`${licences}/LICENSE`, source("LICENSE"));
  put(`${licences}/third-party-licenses.txt`, thirdPartyLicences([node, ...packages.map(licenceOf)]));
}

/** Directories 0755, and every date the commit's. */
function settle(directory: string): void {
  const date = sourceDateEpoch();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    lutimesSync(path, date, date);
  }
  chmodSync(directory, 0o755);
  utimesSync(directory, date, date);
}

/** Relative paths of files, sorted. */
export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

export function isElf(path: string): boolean {
  if (!existsSync(path) || !statSync(path).isFile()) return false;
  return readFileSync(path).subarray(0, 4).equals(Buffer.from("\x7fELF"));
}

function source(path: string): Buffer {
  return readFileSync(join(ROOT, path));
}
