/** The npm packages whose code is in the bundle, by esbuild's own account of it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";
import { ROOT } from "./project.ts";

export interface BundledPackage {
  name: string;
  version: string;
  /** SPDX, as the package states it. */
  licence: string;
  /** Relative to the project, such as `node_modules/zod`. */
  place: string;
}

/** @returns sorted by name; only what contributes to the output, not what was merely looked at */
export function bundledPackages(metafile: Metafile): BundledPackage[] {
  const outputs = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  const places = outputs
    .map(([file]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0])
    .filter((place) => place !== undefined);
  return [...new Set(places)].map(packageAt).sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function packageAt(place: string): BundledPackage {
  const text = readFileSync(join(ROOT, place, "package.json"), "utf8");
  const { name, version, license }: { name: string; version: string; license?: unknown } = JSON.parse(text);
  if (typeof license !== "string") throw new Error(`${place}/package.json states no SPDX licence`);
  return { name, version, licence: license, place };
}
