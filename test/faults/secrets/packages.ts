/** What is shipped, unpacked and searched: a test's key must not have got into it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../packaging/project.ts";
import { makePackages } from "../../systemd/package/repository.ts";
import type { Scale } from "../campaign.ts";
import { filesBelow, secretFiles } from "./file-search.ts";
import { described } from "./forms.ts";

export interface ShippedSearch {
  what: string;
  files: number;
  leaks: string[];
}

/** In the quick run what the packages are made from: `dist/`, units, example config. */
export async function searchShipped(directory: string, scale: Scale): Promise<ShippedSearch> {
  const sources = ["dist", "systemd", "config"].map((name) => join(ROOT, name));
  const unpacked = scale === "full" ? await unpackAll(directory) : { names: [], directory: null };
  const places = unpacked.directory === null ? sources : [...sources, unpacked.directory];
  const files = places.flatMap((place) => filesBelow(place));
  if (files.length < 10) throw new Error(`only ${files.length} files in ${places.join(", ")}`);
  return {
    what: unpacked.names.length > 0 ? unpacked.names.join(", ") : "dist/, units, example config",
    files: files.length,
    leaks: secretFiles(files).map(({ path, sightings }) => `${described(sightings)} in ${path}`),
  };
}

async function unpackAll(directory: string): Promise<{ names: string[]; directory: string }> {
  const packages = await makePackages(directory);
  const unpacked = join(directory, "unpacked");
  const found = filesBelow(packages).filter((path) => /\.(?:rpm|deb)$/.test(path));
  for (const [index, path] of found.entries()) {
    const into = join(unpacked, String(index));
    mkdirSync(into, { recursive: true });
    if (path.endsWith(".deb")) execFileSync("dpkg-deb", ["--raw-extract", path, into]);
    else execFileSync("sh", ["-c", 'rpm2cpio "$1" | cpio -idm --quiet', "sh", path], { cwd: into });
    if (readdirSync(into).length === 0) throw new Error(`${path} is empty`);
  }
  return { names: found.map((path) => path.split("/").at(-1) ?? path), directory: unpacked };
}
