/**
 * The bill of materials, CycloneDX 1.6: npm's own (`npm sbom`, from the lock file), reduced to what is in the bundle,
 * with the Node that we ship and what that was built from. It must never vary between two builds of one commit.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import type { BundledPackage } from "./bundled-packages.ts";
import { lockedPackage } from "./node-runtime.ts";
import { LICENCE, NAME, ROOT, SUMMARY, sourceDateEpoch, type Target, VERSION } from "./project.ts";

export interface Component {
  "bom-ref": string;
  type: string;
  name: string;
  version: string;
  purl?: string;
  [more: string]: unknown;
}

export interface Bom {
  serialNumber: string;
  components: Component[];
  [more: string]: unknown;
}

interface Dependency {
  ref: string;
  dependsOn?: string[];
}

/** @param packages the bundle's, and the addon's where it is not our own */
export function billOfMaterials(packages: readonly BundledPackage[], target: Target): Bom {
  const stated: { components: Component[]; dependencies: Dependency[] } = JSON.parse(npmSbom());
  const known = new Map(
    stated.components.map((component) => [`${component.name}@${component.version}`, component]),
  );
  const components = packages.map(({ name, version, licence }): Component => {
    const ref = `${name}@${version}`;
    const component = known.get(ref);
    if (component === undefined) throw new Error(`npm sbom does not know ${ref}, which is in the bundle`);
    // Where npm fetched it from is this machine's matter; the checksum is what counts.
    const { externalReferences: _, ...facts } = component;
    return { ...facts, licenses: [{ license: { id: licence } }] };
  });
  const node = nodeComponent(target);
  const refs = new Set(components.map((component) => component["bom-ref"]));
  const dependencies = stated.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({
      ref,
      dependsOn: dependsOn.filter((each) => refs.has(each)).sort(),
    }));
  const own = `pkg:generic/${NAME}@${VERSION}?arch=${target.rpm}`;
  const content = {
    metadata: {
      timestamp: new Date(sourceDateEpoch() * 1_000).toISOString(),
      lifecycles: [{ phase: "build" }],
      component: {
        "bom-ref": own,
        type: "application",
        name: NAME,
        version: VERSION,
        description: SUMMARY,
        purl: own,
        licenses: [{ license: { id: LICENCE } }],
      },
    },
    components: [...components, node],
    dependencies: [
      { ref: own, dependsOn: [...refs, node["bom-ref"]].sort() },
      ...dependencies,
      { ref: node["bom-ref"], dependsOn: [] },
    ],
  };
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    version: 1,
    ...content,
  };
}

function npmSbom(): string {
  // From the lock file alone: what is installed here, for which platform, makes no difference. No --omit=dev: it also
  // leaves out what development and product share (@smithy/core; npm 11.19).
  const args = ["sbom", "--sbom-format=cyclonedx", "--package-lock-only", "--loglevel=error"];
  try {
    return execFileSync("npm", args, {
      cwd: ROOT,
      encoding: "utf8",
      maxBuffer: 64 * 1_048_576,
      stdio: "pipe",
    });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : String(error);
    throw new Error(
      `npm sbom failed. npm 10.2 and newer have it (npm install --global npm@10), that of Debian 12 has not:\n${said}`,
    );
  }
}

/** Node with the libraries inside it, which is where its vulnerabilities mostly are. */
function nodeComponent({ node }: Target): Component {
  const { version, integrity } = lockedPackage(`node_modules/node-linux-${node}`);
  if (process.versions.node !== version) {
    throw new Error(
      `the build must run on the Node that it ships, ${version}, not ${process.version}: use make`,
    );
  }
  const inside = Object.entries(process.versions)
    .filter(([name, its]) => !NOT_A_LIBRARY.has(name) && its !== undefined && its !== "")
    .map(([name, its]) => ({ "bom-ref": `node/${name}@${its}`, type: "library", name, version: `${its}` }));
  const digest = Buffer.from((integrity ?? "").replace(/^sha512-/, ""), "base64").toString("hex");
  return {
    "bom-ref": `node@${version}`,
    type: "platform",
    name: "node",
    version,
    description: `The runtime, as npm's node-linux-${node} has it, stripped of its symbols`,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    purl: `pkg:npm/node-linux-${node}@${version}`,
    hashes: [{ alg: "SHA-512", content: digest }],
    licenses: [{ license: { id: "MIT" } }],
    components: inside,
  };
}

/** Versions of interfaces and tables, and Node itself. */
const NOT_A_LIBRARY: ReadonlySet<string> = new Set(["node", "modules", "napi", "cldr", "tz", "unicode"]);

/** A name-based UUID (RFC 9562, version 8): the same content has the same serial number. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}
