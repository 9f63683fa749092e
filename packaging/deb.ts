/**
 * `node packaging/deb.ts [amd64|arm64 …]`: the .deb packages, into build/packages/, from the same staging trees and
 * scriptlets as the RPMs; only what Debian keeps elsewhere is moved.
 */
import { execFile } from "node:child_process";
import {
  chmodSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { changes, debianChangelog } from "./changelog.ts";
import {
  MAINTAINER,
  NAME,
  PACKAGES,
  ROOT,
  sourceDateEpoch,
  type Target,
  targetsFrom,
  VERSION,
} from "./project.ts";
import { filesBelow, stage, stagingDirectory } from "./staging.ts";
import { orSay, requireTools, stagingTools } from "./tools.ts";

const run = promisify(execFile);

const DOC = `usr/share/doc/${NAME}`;

/** Where Debian keeps what the RHEL family keeps elsewhere. */
const MOVED: Readonly<Record<string, string>> = {
  "usr/share/zsh/site-functions/_idc-helper": "usr/share/zsh/vendor-completions/_idc-helper",
  [`usr/share/licenses/${NAME}/third-party-licenses.txt`]: `${DOC}/third-party-licenses.txt`,
  [`usr/share/licenses/${NAME}/LICENSE`]: `${DOC}/LICENSE`,
};

export function debFile({ deb }: Target): string {
  return `${NAME}_${VERSION.replace("-", "~")}_${deb}.deb`;
}

/**
 * @param output the directory that the file is put into
 * @param level of xz; less for a test that does not want to wait
 * @returns its path
 */
export async function buildDeb(target: Target, staging: string, output: string, level = 9): Promise<string> {
  const work = mkdtempSync(join(tmpdir(), "idc-deb-"));
  try {
    const tree = join(work, "tree");
    cpSync(staging, tree, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    for (const [from, to] of Object.entries(MOVED)) {
      mkdirSync(dirname(join(tree, to)), { recursive: true });
      renameSync(join(tree, from), join(tree, to));
    }
    for (const emptied of [
      "usr/share/zsh/site-functions",
      `usr/share/licenses/${NAME}`,
      "usr/share/licenses",
    ]) {
      rmSync(join(tree, emptied), { recursive: true });
    }
    writeDebianFiles(tree, target);
    settle(tree);
    mkdirSync(output, { recursive: true });
    const file = join(output, debFile(target));
    // One thread: how the work is split would show in the bytes.
    await run(
      "dpkg-deb",
      ["--root-owner-group", "-Zxz", `-z${level}`, "--threads-max=1", "--build", tree, file],
      {
        env: { ...process.env, SOURCE_DATE_EPOCH: String(sourceDateEpoch()), TZ: "UTC", LC_ALL: "C" },
      },
    );
    return file;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function writeDebianFiles(tree: string, target: Target): void {
  const all = changes(readFileSync(join(ROOT, "CHANGELOG.md"), "utf8"));
  writeFileSync(
    join(tree, DOC, "changelog.gz"),
    gzipSync(debianChangelog(all, NAME, MAINTAINER), { level: 9 }),
  );
  writeFileSync(join(tree, DOC, "copyright"), COPYRIGHT);
  const control = join(tree, "DEBIAN");
  mkdirSync(control);
  const kilobytes = filesBelow(tree).reduce(
    (sum, path) => sum + Math.ceil(sizeOf(join(tree, path)) / 1_024),
    0,
  );
  const values: Readonly<Record<string, string>> = {
    VERSION: VERSION.replace("-", "~"),
    ARCHITECTURE: target.deb,
    MAINTAINER,
    INSTALLED_SIZE: String(kilobytes),
  };
  for (const file of readdirSync(join(ROOT, "packaging/deb")).sort()) {
    const text = readFileSync(join(ROOT, "packaging/deb", file), "utf8")
      .replaceAll(/@(\w+)@/g, (_, name: string) => values[name] ?? "")
      .replaceAll(/^#include (\S+)$/gm, (_, name: string) => scriptlet(name));
    writeFileSync(join(control, file), text);
    chmodSync(join(control, file), text.startsWith("#!") ? 0o755 : 0o644);
  }
}

function scriptlet(name: string): string {
  return readFileSync(join(ROOT, "packaging/scriptlets", name), "utf8").trimEnd();
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function settle(tree: string): void {
  const date = sourceDateEpoch();
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    else if (entry.isFile() && entry.parentPath === join(tree, DOC)) chmodSync(path, 0o644);
    lutimesSync(path, date, date);
  }
  chmodSync(tree, 0o755);
  lutimesSync(tree, date, date);
}

const COPYRIGHT = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ${NAME}

Files: *
Copyright: ${NAME} contributors
License: Apache-2.0
Comment: What others wrote, Node.js among it, and its terms: third-party-licenses.txt beside this file.

License: Apache-2.0
 On Debian systems, the text of the Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0.
`;

async function main(names: readonly string[]): Promise<void> {
  const targets = targetsFrom(names);
  requireTools("make deb", ["dpkg-deb", ...stagingTools(targets)]);
  const built = await Promise.all(
    targets.map(async (target) => {
      const { directory } = await stage(stagingDirectory(target), target);
      return buildDeb(target, directory, PACKAGES);
    }),
  );
  for (const file of built) console.log(file);
}

if (import.meta.main) await orSay(main(process.argv.slice(2)));
