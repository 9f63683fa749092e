/** The packages under test, as they would lie on a company's server: built from this checkout, and signed. */
import { cpSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { buildDeb } from "../../../packaging/deb.ts";
import { targetOf, VERSION } from "../../../packaging/project.ts";
import { makeRepository } from "../../../packaging/repo.ts";
import { buildRpm } from "../../../packaging/rpm.ts";
import { stage } from "../../../packaging/staging.ts";
import { buildBasePackage } from "../../packaging/base-package.ts";
import { throwAwayKey } from "../../packaging/workshop.ts";

export const PACKAGE = "idc-codedeploy-helper";
/** Where a machine finds them. */
export const PLACE = "/srv/packages";
export const LATER = "99.0.0";
/** Packed loosely: how small they are is another test's. */
const PAYLOAD = "w1.gzdio";

export { VERSION };

/** @returns a directory with a yum repository of this version and a later one, and the .deb of this one */
export async function makePackages(directory: string): Promise<string> {
  const started = performance.now();
  const target = targetOf("x86_64");
  const work = join(directory, "packages");
  mkdirSync(work);
  const staging = (await stage(join(work, "staging"), target)).directory;
  const [now, later, deb] = await Promise.all([
    buildRpm(target, staging, work, { payload: PAYLOAD }),
    buildRpm(target, staging, work, { payload: PAYLOAD, version: LATER }),
    buildDeb(target, staging, join(work, "repository.deb"), 0),
  ]);
  // Debian's dnf, in a Debian: what RHEL's packages provide is there, under other names.
  const base = await buildBasePackage([now], work, { shell: false });
  const repository = join(work, "repository");
  const key = await throwAwayKey(work);
  await key.use((ring) => makeRepository([base, now, later], repository, `file://${PLACE}`, ring));
  cpSync(deb, join(repository, basename(deb)));
  console.log(`packages built in ${Math.round((performance.now() - started) / 1_000)} s`);
  return repository;
}
