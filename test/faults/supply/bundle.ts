/** What is in the bundle, by two accounts that know nothing of each other, and what the bill of materials says. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Metafile } from "esbuild";
import { bundledPackages } from "../../../packaging/bundled-packages.ts";
import { ROOT, type Target } from "../../../packaging/project.ts";
import { billOfMaterials } from "../../../packaging/sbom.ts";

/** The places of the packages that esbuild says it has put into the output. */
export function placesByMetafile({ outputs }: Metafile): Set<string> {
  const files = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));
  return new Set(files.filter((file) => file.includes("node_modules/")).map(packageOf));
}

/** All parts of the program, as they were laid out in that directory. */
export function programText(directory: string): string {
  const parts = readdirSync(directory).filter((name) => name.endsWith(".cjs"));
  return parts
    .sort()
    .map((name) => readFileSync(join(directory, name), "utf8"))
    .join("\n");
}

/** The places that the bundle itself names: esbuild heads each module with its file. */
export function placesByText(bundle: string): Set<string> {
  const files = [...bundle.matchAll(/^\s*\/\/ ((?:\.\.\/)*node_modules\/\S+)$/gm)].map(
    ([, file]) => file ?? "",
  );
  return new Set(files.map((file) => packageOf(file.replace(/^(?:\.\.\/)+/, ""))));
}

/** The nearest directory above with a package.json that has a name: some packages keep nameless ones inside. */
function packageOf(file: string): string {
  for (let place = dirname(file); place !== "."; place = dirname(place)) {
    const manifest = join(ROOT, place, "package.json");
    if (existsSync(manifest) && /node_modules\/(@[^/]+\/)?[^/]+$/.test(place)) return place;
  }
  throw new Error(`${file} belongs to no package`);
}

export function describePlaces(places: Iterable<string>): string[] {
  return [...places]
    .map((place) => {
      const { name, version } = JSON.parse(readFileSync(join(ROOT, place, "package.json"), "utf8"));
      return `${name}@${version}`;
    })
    .sort();
}

export interface Stated {
  components: string[];
  /** Of components whose checksum is not the lock file's. */
  faults: string[];
}

/** What the bill of materials of a target states, Node apart. */
export function statedBy(
  metafile: Metafile,
  target: Target,
  integrityOf: (name: string, version: string) => string | undefined,
): Stated {
  const { components } = billOfMaterials(bundledPackages(metafile), target);
  const npm = components.filter(({ name }) => name !== "node");
  const faults = npm.flatMap(({ name, version, hashes }) => {
    const integrity = integrityOf(name, version) ?? "";
    const wanted = Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
    const stated = Array.isArray(hashes) ? hashes.map(({ content }) => content) : [];
    return wanted !== "" && stated.includes(wanted) ? [] : [`${name}@${version} has another checksum`];
  });
  if (npm.length === components.length) faults.push("Node is not in it");
  return { components: npm.map(({ name, version }) => `${name}@${version}`).sort(), faults };
}

/** In the one list and not in the other, and the other way round. */
export function difference(found: readonly string[], wanted: readonly string[]): string[] {
  return [
    ...found.filter((each) => !wanted.includes(each)).map((each) => `${each} too many`),
    ...wanted.filter((each) => !found.includes(each)).map((each) => `${each} missing`),
  ];
}
