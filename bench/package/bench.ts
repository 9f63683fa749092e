/** What the package weighs: to download, installed, and its parts. */
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { atMost, type Bench, type Outcome, rounded, table } from "../findings.ts";

const PACKAGES = fileURLToPath(new URL("../../build/packages", import.meta.url));
const MOST_MIB = 32;
const MIB = 1_048_576;
const PARTS = 10;

export const bench: Bench = { title: "The package", run };

async function run(): Promise<Outcome> {
  const files = readdirSync(PACKAGES)
    .filter((name) => /\.(rpm|deb)$/.test(name))
    .sort();
  const sizes = files.map((name) => ({ name, mib: statSync(join(PACKAGES, name)).size / MIB }));
  if (sizes.length === 0) throw new Error("no packages in build/packages; make them: make rpm deb");
  const parts = installedParts(join(PACKAGES, files.find((name) => name.endsWith(".x86_64.rpm")) ?? ""));
  const installed = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const heaviest = parts.sort((a, b) => b.bytes - a.bytes).slice(0, PARTS);
  return {
    findings: sizes.map(({ name, mib }) => atMost(`${name}: download`, MOST_MIB, mib, " MiB")),
    more: table([
      ["installed (x86_64)", "MiB"],
      ...heaviest.map(({ path, bytes }) => [`\`${path}\``, rounded(bytes / MIB)]),
      ["everything", rounded(installed / MIB)],
    ]),
  };
}

function installedParts(rpm: string): { path: string; bytes: number }[] {
  const format = "[%{FILESIZES} %{FILENAMES}\n]";
  const { status, stdout, stderr } = spawnSync("rpm", ["-qp", "--queryformat", format, rpm], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`rpm -qp ${rpm}: ${stderr}`);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [bytes = "", path = ""] = line.split(/ (.*)/);
      // A directory's own size says nothing.
      return { path, bytes: path.includes(".") || path.endsWith("/node") ? Number(bytes) : 0 };
    });
}
