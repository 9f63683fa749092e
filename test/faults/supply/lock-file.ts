/** package-lock.json, and the tree that was installed from it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../packaging/project.ts";

export interface Locked {
  version: string;
  integrity?: string;
  resolved?: string;
  link?: boolean;
  license?: string;
  optional?: boolean;
  hasInstallScript?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

/** Without the project itself; keys are places such as `node_modules/zod`. */
export function readLock(file: string = join(ROOT, "package-lock.json")): Map<string, Locked> {
  const { packages }: { packages: Record<string, Locked> } = JSON.parse(readFileSync(file, "utf8"));
  return new Map(Object.entries(packages).filter(([place]) => place !== ""));
}

export function nameAt(place: string): string {
  return place.replace(/^.*node_modules\//, "");
}

/** Whether npm installs it on what we build and test on: Linux, x86_64, glibc. */
export function isForUs({ os, cpu, libc }: Locked): boolean {
  const fits = (list: string[] | undefined, ours: string) => list === undefined || list.includes(ours);
  return fits(os, "linux") && fits(cpu, "x64") && fits(libc, "glibc");
}

/** Each package that is installed, by its place, wherever in the tree. */
export function installedPlaces(directory = "node_modules"): string[] {
  return readdirSync(join(ROOT, directory), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .flatMap(({ name }) => {
      const place = `${directory}/${name}`;
      if (name.startsWith("@"))
        return readdirSync(join(ROOT, place)).flatMap((each) => withNested(`${place}/${each}`));
      return withNested(place);
    });
}

function withNested(place: string): string[] {
  const nested = `${place}/node_modules`;
  return [place, ...(existsSync(join(ROOT, nested)) ? installedPlaces(nested) : [])];
}

/** What is wrong with the lock file itself. */
export function faultsOfLock(lock: Map<string, Locked>): string[] {
  const shape = [...lock].flatMap(([place, { resolved, link, integrity }]) => [
    ...(resolved === undefined ? [] : [`${place} names where it came from`]),
    ...(link === true ? [`${place} is a link`] : []),
    ...(integrity === undefined || /^sha512-[\w+/]{86}==$/.test(integrity)
      ? []
      : [`${place}: ${integrity} is no SHA-512`]),
  ]);
  return [...shape, ...faultsOfManifest(lock)];
}

interface Manifest {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
}

/** Every direct dependency is pinned to one version, and that is the one which is locked. */
function faultsOfManifest(lock: Map<string, Locked>): string[] {
  const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).flatMap(
    ([name, wanted]) => {
      if (!/^\d+\.\d+\.\d+$/.test(wanted)) return [`package.json: ${name} is not pinned (${wanted})`];
      const locked = lock.get(`node_modules/${name}`)?.version;
      return locked === wanted
        ? []
        : [`package.json: ${name} is ${wanted}, locked ${locked ?? "not at all"}`];
    },
  );
}

/** Where the installed tree and the lock file differ in what is there, and in which version. */
export function faultsOfTree(lock: Map<string, Locked>, places: readonly string[]): string[] {
  const installed = new Set(places);
  const missing = [...lock]
    .filter(([place, locked]) => locked.optional !== true && !installed.has(place))
    .map(([place]) => `${place} is locked and not installed`);
  const others = places.flatMap((place) => {
    const locked = lock.get(place);
    if (locked === undefined) return [`${place} is installed and not locked`];
    const { name, version }: { name: string; version: string } = JSON.parse(
      readFileSync(join(ROOT, place, "package.json"), "utf8"),
    );
    const isSame = name === nameAt(place) && version === locked.version;
    return isSame ? [] : [`${place} is ${name} ${version}, locked ${locked.version}`];
  });
  return [...missing, ...others, ...faultsOfInstallation(lock)];
}

/** npm's own note of what it installed (node_modules/.package-lock.json) carries the checksums that it verified. */
function faultsOfInstallation(lock: Map<string, Locked>): string[] {
  const noted = readLock(join(ROOT, "node_modules/.package-lock.json"));
  return [...noted].flatMap(([place, { integrity }]) =>
    integrity === lock.get(place)?.integrity ? [] : [`${place} was installed with another checksum`],
  );
}
