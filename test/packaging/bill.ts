/** The bill of materials and the licences: valid, and neither more nor less than what is shipped. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Ajv } from "ajv";
import { bundledPackages } from "../../packaging/bundled-packages.ts";
import { NAME } from "../../packaging/project.ts";
import type { Bom } from "../../packaging/sbom.ts";
import { type Check, expectEqual } from "../systemd/checks.ts";
import type { Built, Workshop } from "./workshop.ts";

const SCHEMAS = join(import.meta.dirname, "cyclonedx");

export async function checkBill({ x64, arm64 }: Workshop, check: Check): Promise<void> {
  for (const built of [x64, arm64]) await checkOne(built, check);
}

async function checkOne({ target, staging }: Built, check: Check): Promise<void> {
  const share = join(staging.directory, "usr/share");
  const bom: Bom = JSON.parse(readFileSync(join(share, "doc", NAME, `${NAME}.cdx.json`), "utf8"));
  const shipped = bundledPackages(staging.metafile);
  await check(`the ${target.rpm} bill of materials is valid CycloneDX 1.6`, async () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    ajv.addSchema(schema("spdx"), "http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json");
    ajv.addSchema(schema("jsf-0.82"), "http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json");
    const validate = ajv.compile(schema("bom-1.6"));
    if (!validate(bom)) throw new Error(ajv.errorsText(validate.errors, { separator: "\n" }));
    expectEqual(bom.specVersion, "1.6", "its version");
  });
  await check(`it has every package of the ${target.rpm} bundle and Node, and nothing else`, async () => {
    const stated = bom.components.map(({ name, version }) => `${name}@${version}`).sort();
    const wanted = [
      ...shipped.map(({ name, version }) => `${name}@${version}`),
      `node@${process.versions.node}`,
    ];
    expectEqual(stated.join("\n"), wanted.sort().join("\n"), "the list of components");
    if (shipped.length < 40)
      throw new Error(`only ${shipped.length} packages: esbuild's account is not understood`);
  });
  await check(
    `its components carry checksums, and OpenSSL inside Node is named (${target.rpm})`,
    async () => {
      const bare = bom.components.filter(({ hashes }) => !Array.isArray(hashes) || hashes.length === 0);
      expectEqual(bare.map(({ name }) => name).join(", "), "", "what has no checksum");
      const inside = bom.components.find(({ name }) => name === "node")?.components;
      const openssl = Array.isArray(inside) ? inside.find(({ name }) => name === "openssl") : undefined;
      expectEqual(openssl?.version, process.versions.openssl, "the version of OpenSSL");
    },
  );
  await check(`the licences of all that the ${target.rpm} package contains are in it`, async () => {
    const text = readFileSync(join(share, "licenses", NAME, "third-party-licenses.txt"), "utf8");
    const missing = shipped.filter(
      (each) => !text.includes(`\n${each.name} ${each.version} (${each.licence})\n`),
    );
    expectEqual(missing.map(({ name }) => name).join(", "), "", "whose licence is missing");
    if (!text.includes("Node.js is licensed for use as follows")) throw new Error("Node's own is missing");
  });
}

function schema(name: string): object {
  return JSON.parse(gunzipSync(readFileSync(join(SCHEMAS, `${name}.schema.json.gz`))).toString("utf8"));
}
